import { P, QUOTIENT_SCALE } from './layout';
import { mulShoup2p, reduceOnce, shoupQuotient } from './field';

/**
 * Fills 2^log2Count table entries (w lanes, quotient lanes) `stride` bytes apart: entry 0 is already there, and entry 2^t + b
 * is entry b times z_t, so that the order is bit-reversed. zPtr: (z_t, quotient) as u32 pairs.
 * Restrictions: entry 0 and all z_t in [0, p).
 */
export function fillTwiddles(ctxPtr: usize, tablePtr: usize, stride: usize, log2Count: u32, zPtr: usize): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const scale = load<f64>(ctxPtr, QUOTIENT_SCALE);
  for (let t: u32 = 0; t < log2Count; ++t) {
    const z = v128.load_splat<u32>(zPtr + ((<usize>t) << 3));
    const zq = v128.load_splat<u32>(zPtr + ((<usize>t) << 3), 4);
    const half = stride << t;
    for (let at: usize = 0; at < half; at += stride) {
      const w = reduceOnce(mulShoup2p(v128.load(tablePtr + at), z, zq, p), p);
      v128.store(tablePtr + half + at, w);
      v128.store(tablePtr + half + at, shoupQuotient(w, p, scale), 16);
    }
  }
}
