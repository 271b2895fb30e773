/**
 * Every problem the API can answer with: code → status, title, meaning. The code is stable and is the last segment of the
 * problem's `type`; the words may change.
 */
export const problemCatalogue = {
  'invalid-number': [400, 'Not a number this service knows', 'n must be a non-negative decimal integer.'],
  'missing-parameter': [400, 'Parameter missing', 'A required query parameter is absent.'],
  'unknown-parameter': [400, 'Parameter unknown', 'A query parameter is not one this route has; nothing is ignored.'],
  'invalid-parameter': [400, 'Parameter invalid', 'A query parameter has a value that is not allowed.'],
  'malformed-json': [400, 'Body is not JSON', 'The request body is not a JSON text in UTF-8.'],
  'invalid-body': [400, 'Body invalid', 'The request body is JSON, but not what this route takes.'],
  'malformed-request': [400, 'Request malformed', 'The request is not valid HTTP, or its path cannot be decoded.'],
  unauthorized: [401, 'API key required', 'This method needs one of the configured API keys.'],
  'route-not-found': [404, 'No such resource', 'Nothing is served under this path.'],
  'not-requested': [404, 'Never requested', 'This factorial was never requested, so there is nothing to serve.'],
  'in-progress': [404, 'Not finished yet', 'This factorial is being calculated; try again after `Retry-After`.'],
  'calculation-failed': [404, 'Calculation failed', 'The last attempt failed, so there is nothing to serve.'],
  'method-not-allowed': [405, 'Method not allowed', 'The path exists, but not with this method; see `Allow`.'],
  'not-acceptable': [406, 'Not acceptable', 'Nothing this resource can be sent as matches `Accept`.'],
  'request-timeout': [408, 'Request timed out', 'The request did not arrive whole in time.'],
  'already-done': [409, 'Already done', 'A finished calculation cannot be cancelled.'],
  'not-cancellable': [409, 'Nothing to cancel', 'The calculation has ended already.'],
  'precondition-failed': [412, 'Precondition failed', 'The current result does not match `If-Match`.'],
  'body-too-large': [413, 'Body too large', 'The request body is larger than this service reads.'],
  'unsupported-media-type': [415, 'Media type not supported', 'The body must be application/json.'],
  'range-not-satisfiable': [416, 'Range not satisfiable', 'The requested range lies outside of the digits.'],
  'number-too-large': [422, 'n is too large', 'This service is configured or built for smaller n.'],
  'headers-too-large': [431, 'Header fields too large', 'The request line and header fields are longer than allowed.'],
  'rate-limited': [429, 'Too many requests', 'This client sent more requests than allowed; see `Retry-After`.'],
  'too-many-unfinished': [429, 'Too many unfinished calculations', 'Wait until some of them are done.'],
  'internal-error': [500, 'Internal error', 'A fault of the service; the request id helps to find it in the log.'],
  'result-damaged': [500, 'Stored result damaged', 'What is stored is not what was computed; it is not served.'],
  unavailable: [503, 'Temporarily unavailable', 'A service behind the API does not answer; try again.'],
  'too-many-streams': [503, 'Too many event streams', 'The bound on open event streams is reached; poll the metadata.'],
  'store-full': [507, 'Store is full', 'No room for this result until stored ones are removed.'],
} as const satisfies Record<string, readonly [status: number, title: string, meaning: string]>;

/** Stable code of a problem. */
export type ProblemCode = keyof typeof problemCatalogue;

/** Media type of every error answer (RFC 9457). */
export const problemMediaType = 'application/problem+json; charset=utf-8';

/** `type` of a problem: a relative URI that the API itself answers with the meaning. */
export function problemType(code: ProblemCode): string {
  return `/problems/${code}`;
}

/** Whether a code from outside names a problem. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemCatalogue, code);
}
