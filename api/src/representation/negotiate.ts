/** A media type without parameters, such as `text/plain`. */
export type MediaType = `${string}/${string}`;

interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

/**
 * The offered type that `Accept` prefers (RFC 9110 §12.5.1), or undefined when it excludes them all. The first offer wins
 * ties and is the default without an `Accept` field. Ranges that cannot be read are skipped; when none can, the first
 * offer is taken.
 */
export function negotiate<T extends MediaType>(
  accept: string | undefined,
  offers: readonly [T, ...T[]],
): T | undefined {
  const ranges = accept === undefined ? [] : readRanges(accept);
  if (ranges.length === 0) return offers[0];
  let best: { offer: T; quality: number } | undefined;
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges);
    if (quality > 0 && (best === undefined || quality > best.quality)) best = { offer, quality };
  }
  return best?.offer;
}

// Bounds the work on a hostile field; Node already bounds its length.
const maxRanges = 64;

function readRanges(accept: string): MediaRange[] {
  const ranges: MediaRange[] = [];
  for (const part of accept.split(',', maxRanges)) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const match = /^([!#$%&'*+.^_`|~0-9a-z-]+)\/([!#$%&'*+.^_`|~0-9a-z-]+)$/.exec(range);
    if (match === null || (match[1] === '*' && match[2] !== '*')) continue;
    ranges.push({ type: match[1]!, subtype: match[2]!, quality: readQuality(parameters) });
  }
  return ranges;
}

function readQuality(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
  if (weight === undefined) return 1;
  const text = weight.slice(weight.indexOf('=') + 1).trim();
  return /^(0(\.[0-9]{0,3})?|1(\.0{0,3})?)$/.test(text) ? Number(text) : 0;
}

/** The most specific range that covers the offer decides. */
function qualityOf(offer: MediaType, ranges: readonly MediaRange[]): number {
  const [type, subtype] = offer.split('/');
  let specificity = -1;
  let quality = 0;
  for (const range of ranges) {
    const covers = (range.type === '*' || range.type === type) && (range.subtype === '*' || range.subtype === subtype);
    const rank = (range.type === '*' ? 0 : 1) + (range.subtype === '*' ? 0 : 1);
    if (covers && rank > specificity) {
      specificity = rank;
      quality = range.quality;
    }
  }
  return quality;
}
