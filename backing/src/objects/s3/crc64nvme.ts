/** x^64 + … of CRC-64/NVME, 0xad93d23594c93659, bits reversed (Rocksoft's model with reflected input and output, catalogue of CRC algorithms). */
const reversedPolynomial = 0x9a6c9329ac4bc9b5n;
/** x^0 and x^1: the highest bit is the coefficient of the lowest power. */
const one = 1n << 63n;
const x = 1n << 62n;

/**
 * The CRC-64/NVME of two texts one after the other, from theirs: that of the first, multiplied by x^(8 · bytes of the second) modulo the
 * polynomial, plus that of the second. Initial value and final inversion cancel out, as in zlib's `crc32_combine`.
 * `secondFactor` is `crc64NvmeFactor` of the bytes of the second. Restrictions: both CRCs below 2^64.
 */
export function combineCrc64Nvme(first: bigint, second: bigint, secondFactor: bigint): bigint {
  return multiply(first, secondFactor) ^ second;
}

/** x^(8 · bytes) modulo the polynomial: what appending so many bytes multiplies a CRC by. Restrictions: bytes ≥ 0, an integer. */
export function crc64NvmeFactor(bytes: number): bigint {
  let factor = one;
  let square = x;
  for (let exponent = 8n * BigInt(bytes); exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) factor = multiply(factor, square);
    square = multiply(square, square);
  }
  return factor;
}

/** Product of two polynomials over GF(2) modulo that of the CRC. */
function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let bit = one; bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= b;
    b = b & 1n ? (b >> 1n) ^ reversedPolynomial : b >> 1n;
  }
  return product;
}
