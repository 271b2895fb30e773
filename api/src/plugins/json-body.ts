import type { FastifyInstance } from 'fastify';
import { ApiProblem, shorten } from '../problems/problem.ts';

/**
 * Reads JSON bodies strictly, and nothing but JSON: UTF-8, no duplicate members, and integers judged by their text, so
 * that nothing is rounded on the way in. Throws `malformed-json` and `invalid-body`.
 */
export function registerJsonBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseStrictJson(body),
  );
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The value of a JSON text in which every number literal is a plain safe integer and no object names a member twice. */
export function parseStrictJson(body: Uint8Array): unknown {
  const text = decode(body);
  const value = parse(text);
  checkTokens(text);
  return value;
}

function decode(body: Uint8Array): string {
  if (body.length === 0) throw new ApiProblem('malformed-json', 'expected a JSON object, got an empty body');
  try {
    return decoder.decode(body);
  } catch (cause) {
    throw new ApiProblem('malformed-json', 'expected UTF-8, got bytes that are not', {}, { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiProblem(
      'malformed-json',
      'expected a JSON object such as {"number": 20000}, got text that is not JSON',
      {
        got: shorten(text),
      },
      { cause },
    );
  }
}

// Tokens of a text already known to be JSON.
const tokenPattern = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Invariant: `open` holds one entry per object or array around the current token; an array's entry is undefined. */
function checkTokens(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let previous = '';
  let member = '';
  for (const [token] of text.matchAll(tokenPattern)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token.startsWith('"') && (previous === '{' || previous === ',')) {
      member = addMember(open.at(-1), token) ?? member;
    } else if (/^[-0-9]/.test(token)) checkNumberLiteral(token, member);
    previous = token;
  }
}

function addMember(members: Set<string> | undefined, token: string): string | undefined {
  if (members === undefined) return undefined;
  const name = String(JSON.parse(token));
  if (members.has(name)) {
    throw new ApiProblem('invalid-body', `expected each member once, got "${shorten(name)}" twice`, {
      parameter: shorten(name),
    });
  }
  members.add(name);
  return name;
}

function checkNumberLiteral(literal: string, member: string): void {
  const name = shorten(member) || 'number';
  const members = {
    parameter: name,
    got: shorten(literal),
    allowed: 'a plain integer below 2^53, or a decimal string',
  };
  if (!/^(0|[1-9][0-9]*)$/.test(literal)) {
    const detail = `expected "${name}" to be a non-negative integer in plain digits, got ${shorten(literal)}: no sign, fraction or exponent; send a decimal string if a program wrote it like that`;
    throw new ApiProblem('invalid-number', detail, members);
  }
  if (literal.length > 16 || !Number.isSafeInteger(Number(literal))) {
    const detail = `expected "${name}" below 2^53 as a JSON number, got ${shorten(literal)}: many JSON programs round it; send it as a string, {"${name}": "${shorten(literal)}"}`;
    throw new ApiProblem('invalid-number', detail, members);
  }
}
