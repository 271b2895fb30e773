import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ maxNumber: 1_000_000n, bodyMaxBytes: 256 });
});
afterAll(() => harness.close());

type Row = readonly [what: string, body: string | Buffer, status: number, code: string, words: string];

const bodies: readonly Row[] = [
  ['nothing', '', 400, 'malformed-json', 'empty body'],
  ['spaces', '   ', 400, 'malformed-json', 'not JSON'],
  ['no JSON', 'number=5', 400, 'malformed-json', 'not JSON'],
  ['a cut object', '{"number": 5', 400, 'malformed-json', 'not JSON'],
  ['a trailing comma', '{"number": 5,}', 400, 'malformed-json', 'not JSON'],
  ['a comment', '{"number": 5 /* n */}', 400, 'malformed-json', 'not JSON'],
  ['single quotes', "{'number': 5}", 400, 'malformed-json', 'not JSON'],
  ['a byte order mark', Buffer.from('\ufeff{"number": 5}'), 400, 'malformed-json', 'not JSON'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400, 'malformed-json', 'UTF-8'],
  ['UTF-16', Buffer.from('{"number": 5}', 'utf16le'), 400, 'malformed-json', 'not JSON'],
  ['NaN', '{"number": NaN}', 400, 'malformed-json', 'not JSON'],
  ['Infinity', '{"number": Infinity}', 400, 'malformed-json', 'not JSON'],
  ['a plus sign', '{"number": +5}', 400, 'malformed-json', 'not JSON'],
  ['leading zeros in a literal', '{"number": 007}', 400, 'malformed-json', 'not JSON'],
  ['a hexadecimal literal', '{"number": 0x10}', 400, 'malformed-json', 'not JSON'],
  ['a bare number', '5', 400, 'invalid-body', 'got a number'],
  ['a bare string', '"5"', 400, 'invalid-body', 'got a string'],
  ['null', 'null', 400, 'invalid-body', 'JSON object'],
  ['an array', '[{"number": 5}]', 400, 'invalid-body', 'got an array'],
  ['an empty object', '{}', 400, 'invalid-body', '"number" is missing'],
  ['another member', '{"n": 5}', 400, 'invalid-body', '"n" is not known'],
  ['an extra member', '{"number": 5, "force": true}', 400, 'invalid-body', '"force" is not known'],
  ['a member in capitals', '{"Number": 5}', 400, 'invalid-body', '"Number" is not known'],
  ['__proto__', '{"number": 5, "__proto__": {}}', 400, 'invalid-body', '"__proto__" is not known'],
  ['constructor', '{"number": 5, "constructor": {}}', 400, 'invalid-body', '"constructor" is not known'],
  ['number twice', '{"number": 5, "number": 6}', 400, 'invalid-body', 'twice'],
  ['number twice, once escaped', '{"number": 5, "\\u006eumber": 6}', 400, 'invalid-body', 'twice'],
  ['number twice, the first nested', '{"number": {"a": 1}, "number": 6}', 400, 'invalid-body', 'twice'],
  ['null as number', '{"number": null}', 400, 'invalid-body', 'got null'],
  ['true as number', '{"number": true}', 400, 'invalid-body', 'got a boolean'],
  ['an array as number', '{"number": [5]}', 400, 'invalid-body', 'got an array'],
  ['an object as number', '{"number": {"value": 5}}', 400, 'invalid-body', 'got an object'],
  ['a fraction', '{"number": 1.5}', 400, 'invalid-number', 'got 1.5'],
  ['1.0', '{"number": 1.0}', 400, 'invalid-number', 'got 1.0'],
  ['a literal that would be rounded to 1', '{"number": 1.00000000000000000001}', 400, 'invalid-number', 'fraction'],
  ['1e3', '{"number": 1e3}', 400, 'invalid-number', 'exponent'],
  ['1E3', '{"number": 1E3}', 400, 'invalid-number', 'exponent'],
  ['1e400', '{"number": 1e400}', 400, 'invalid-number', 'exponent'],
  ['-0', '{"number": -0}', 400, 'invalid-number', 'got -0'],
  ['-5', '{"number": -5}', 400, 'invalid-number', 'no sign'],
  [
    '2^53',
    '{"number": 9007199254740992}',
    400,
    'invalid-number',
    'send it as a string, {"number": "9007199254740992"}',
  ],
  ['2^53 + 1', '{"number": 9007199254740993}', 400, 'invalid-number', 'string'],
  ['a literal of 100 digits', `{"number": ${'9'.repeat(100)}}`, 400, 'invalid-number', 'string'],
  ['the empty string', '{"number": ""}', 400, 'invalid-number', 'is empty'],
  ['a string of leading zeros', '{"number": "007"}', 400, 'invalid-number', 'leading zeros'],
  ['"00"', '{"number": "00"}', 400, 'invalid-number', 'leading zeros'],
  ['a negative string', '{"number": "-5"}', 400, 'invalid-number', 'negative'],
  ['a plus in a string', '{"number": "+5"}', 400, 'invalid-number', 'plus sign'],
  ['a fraction in a string', '{"number": "5.0"}', 400, 'invalid-number', 'fraction'],
  ['an exponent in a string', '{"number": "1e6"}', 400, 'invalid-number', 'exponent'],
  ['a space before', '{"number": " 5"}', 400, 'invalid-number', 'spaces'],
  ['a newline after', '{"number": "5\\n"}', 400, 'invalid-number', 'spaces'],
  ['separators', '{"number": "1_000"}', 400, 'invalid-number', 'separators'],
  ['commas', '{"number": "1,000"}', 400, 'invalid-number', 'separators'],
  ['hexadecimal', '{"number": "0x10"}', 400, 'invalid-number', 'not decimal'],
  ['a BigInt literal', '{"number": "5n"}', 400, 'invalid-number', 'not a decimal integer'],
  ['Arabic-Indic digits', '{"number": "٥"}', 400, 'invalid-number', 'not a decimal integer'],
  ['full-width digits', '{"number": "５"}', 400, 'invalid-number', 'not a decimal integer'],
  ['a zero byte', '{"number": "5\\u0000"}', 400, 'invalid-number', 'not a decimal integer'],
  ['words', '{"number": "five"}', 400, 'invalid-number', 'not a decimal integer'],
  ['2^63', '{"number": "9223372036854775808"}', 422, 'number-too-large', 'up to 1000000'],
  ['20 digits', '{"number": "10000000000000000000"}', 422, 'number-too-large', 'up to 1000000'],
  ['200 digits', `{"number": "${'7'.repeat(200)}"}`, 422, 'number-too-large', 'up to 1000000'],
  ['n above the limit', '{"number": 1000001}', 422, 'number-too-large', 'up to 1000000'],
  ['2^63 - 1', '{"number": "9223372036854775807"}', 422, 'number-too-large', 'up to 1000000'],
  ['more bytes than are read', `{"number": "${'7'.repeat(300)}"}`, 413, 'body-too-large', '256 bytes'],
];

const queries: readonly (readonly [query: string, status: number, code: string, words: string])[] = [
  ['', 400, 'missing-parameter', '"number" is missing'],
  ['?', 400, 'missing-parameter', '"number" is missing'],
  ['?number', 400, 'invalid-number', 'is empty'],
  ['?number=', 400, 'invalid-number', 'is empty'],
  ['?n=5', 400, 'unknown-parameter', '"n" is not known'],
  ['?number=5&verbose=1', 400, 'unknown-parameter', '"verbose" is not known'],
  ['?Number=5', 400, 'unknown-parameter', '"Number" is not known'],
  ['?number=5&number=6', 400, 'invalid-parameter', 'once'],
  ['?number[]=5', 400, 'unknown-parameter', 'not known'],
  ['?number=-1', 400, 'invalid-number', 'negative'],
  ['?number=+1', 400, 'invalid-number', 'spaces'],
  ['?number=%2B1', 400, 'invalid-number', 'plus sign'],
  ['?number=1.0', 400, 'invalid-number', 'fraction'],
  ['?number=1e3', 400, 'invalid-number', 'exponent'],
  ['?number=00', 400, 'invalid-number', 'leading zeros'],
  ['?number=%00', 400, 'invalid-number', 'not a decimal integer'],
  ['?number=5%0A', 400, 'invalid-number', 'spaces'],
  ['?number=1%2C000', 400, 'invalid-number', 'separators'],
  ['?number=0b11', 400, 'invalid-number', 'not decimal'],
  ['?number=9223372036854775808', 400, 'invalid-number', 'larger than any'],
  ['?number=99999999999999999999999', 400, 'invalid-number', 'larger than any'],
  ['?number=NaN', 400, 'invalid-number', 'not a decimal integer'],
  ["?number=1'%20OR%201=1", 400, 'invalid-number', 'not a decimal integer'],
  ['?number=..%2F..%2Fetc', 400, 'invalid-number', 'not a decimal integer'],
  ['?__proto__=5', 400, 'unknown-parameter', 'not known'],
];

describe('bodies that POST /factorial refuses', () => {
  it.each(bodies)('%s', async (_what, body, status, code, words) => {
    const response = await harness.app.inject({
      method: 'POST',
      url: '/factorial',
      headers: { 'content-type': 'application/json' },
      payload: body,
    });
    expectProblem(response, status, code, words);
    expect((await harness.deps.metadata.list(10)).rows).toEqual([]);
  });
});

describe.each([
  ['GET', '/factorial'],
  ['GET', '/factorial/metadata'],
  ['GET', '/factorial/digits'],
  ['GET', '/factorial/estimate'],
  ['GET', '/factorial/events'],
  ['DELETE', '/factorial'],
] as const)('queries that %s %s refuses', (method, path) => {
  it.each(queries)('%s', async (query, status, code, words) => {
    expectProblem(await harness.app.inject({ method, url: `${path}${query}` }), status, code, words);
  });
});

describe('queries that GET /factorial/list refuses', () => {
  it.each([
    ['?limit=0', 'invalid-parameter', '"limit"'],
    ['?limit=-1', 'invalid-parameter', '"limit"'],
    ['?limit=101', 'invalid-parameter', 'from 1 to 100'],
    ['?limit=1e1', 'invalid-parameter', '"limit"'],
    ['?limit=ten', 'invalid-parameter', '"limit"'],
    ['?limit=5&limit=6', 'invalid-parameter', 'once'],
    ['?cursor=', 'invalid-parameter', '"cursor"'],
    ['?cursor=abc', 'invalid-parameter', '"cursor"'],
    ['?cursor=%24%24', 'invalid-parameter', '"cursor"'],
    [`?cursor=${Buffer.from('1:1:05').toString('base64url')}`, 'invalid-parameter', '"cursor"'],
    [`?cursor=${Buffer.from('2:1:5').toString('base64url')}`, 'invalid-parameter', '"cursor"'],
    [`?cursor=${Buffer.from('1:9999999999999999:5').toString('base64url')}`, 'invalid-parameter', '"cursor"'],
    [`?cursor=${Buffer.from('1:1:9223372036854775808').toString('base64url')}`, 'invalid-parameter', '"cursor"'],
    ['?cursor=MToxOjV', 'invalid-parameter', '"cursor"'],
    ['?offset=5', 'unknown-parameter', '"offset" is not known'],
  ])('%s', async (query, code, words) => {
    expectProblem(await harness.app.inject({ url: `/factorial/list${query}` }), 400, code, words);
  });
});

describe('requests that are refused whatever they ask', () => {
  it.each([
    ['POST', '/factorial', { 'content-type': 'text/plain' }, '5', 415, 'unsupported-media-type', 'application/json'],
    ['POST', '/factorial', {}, Buffer.from('{"number":5}'), 415, 'unsupported-media-type', 'application/json'],
    [
      'POST',
      '/factorial',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'number=5',
      415,
      'unsupported-media-type',
      '',
    ],
    [
      'POST',
      '/factorial?number=5',
      { 'content-type': 'application/json' },
      '{"number":5}',
      400,
      'unknown-parameter',
      '"number"',
    ],
    ['PUT', '/factorial', {}, '', 405, 'method-not-allowed', 'DELETE, GET, HEAD, POST'],
    ['PATCH', '/factorial', {}, '', 405, 'method-not-allowed', 'DELETE, GET, HEAD, POST'],
    ['OPTIONS', '/factorial', {}, '', 405, 'method-not-allowed', 'DELETE, GET, HEAD, POST'],
    ['POST', '/factorial/metadata?number=5', {}, '', 405, 'method-not-allowed', 'GET, HEAD'],
    ['DELETE', '/factorial/digits?number=5', {}, '', 405, 'method-not-allowed', 'GET, HEAD'],
    ['POST', '/healthz', {}, '', 405, 'method-not-allowed', 'GET'],
    ['GET', '/nothing', {}, '', 404, 'route-not-found', '/nothing'],
    ['GET', '/factorial/', {}, '', 404, 'route-not-found', '/factorial/'],
    ['GET', '/Factorial?number=5', {}, '', 404, 'route-not-found', '/Factorial'],
    ['GET', '/factorial/digits/5', {}, '', 404, 'route-not-found', '/factorial/digits/5'],
    ['GET', '/%', {}, '', 400, 'malformed-request', ''],
    ['GET', '/problems/nothing', {}, '', 404, 'route-not-found', 'nothing'],
    ['GET', '/web/../../package.json', {}, '', 404, 'route-not-found', ''],
    [
      'GET',
      '/factorial?number=5',
      { accept: 'image/png' },
      '',
      406,
      'not-acceptable',
      'text/plain or application/json',
    ],
    ['GET', '/factorial/digits?number=5', { accept: 'application/json' }, '', 406, 'not-acceptable', 'text/plain'],
    [
      'GET',
      '/factorial/metadata?number=5',
      { accept: 'text/html' },
      '',
      406,
      'not-acceptable',
      'application/json or text/plain',
    ],
    ['GET', '/factorial/estimate?number=5', { accept: 'text/plain' }, '', 406, 'not-acceptable', 'application/json'],
    ['GET', '/factorial/list', { accept: 'text/plain' }, '', 406, 'not-acceptable', 'application/json'],
    [
      'GET',
      '/factorial/events?number=5',
      { accept: 'application/json' },
      '',
      406,
      'not-acceptable',
      'text/event-stream',
    ],
  ] as const)('%s %s with %j and body %s: %i', async (method, url, headers, payload, status, code, words) => {
    const body = payload.length === 0 ? {} : { payload };
    expectProblem(await harness.app.inject({ method, url, headers, ...body }), status, code, words);
  });

  it('names the allowed methods in Allow', async () => {
    const response = await harness.app.inject({ method: 'PUT', url: '/factorial' });
    expect(response.headers.allow).toBe('DELETE, GET, HEAD, POST');
  });
});

type Response = Awaited<ReturnType<Harness['app']['inject']>>;

function expectProblem(response: Response, status: number, code: string, words: string): void {
  expect([response.statusCode, response.body]).toEqual([status, expect.stringContaining(`/problems/${code}`)]);
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(response.headers['cache-control']).toBe('no-store');
  const problem = response.json();
  expect(problem).toMatchObject({ status, type: `/problems/${code}`, title: expect.any(String) });
  expect(problem.detail).toContain(words);
  expect(problem.requestId).toBe(response.headers['x-request-id']);
  expect(response.body).not.toMatch(/at .*\.(ts|js):|node_modules|stack/);
}
