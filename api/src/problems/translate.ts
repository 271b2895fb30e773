import { CorruptObjectError, TransientError } from '@factorial/backing';
import type { FastifyError, FastifySchemaValidationError } from 'fastify';
import { invalidNumber } from '../schemas/number.ts';
import type { ProblemCode } from './catalogue.ts';
import { ApiProblem, shorten } from './problem.ts';

/** The parts of a request that a schema can refuse. */
export interface RefusedRequest {
  readonly query: unknown;
  readonly body: unknown;
}

const frameworkCodes: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-request',
  FST_ERR_BAD_URL: 'malformed-request',
};

/** Any error as the problem the client gets. Words of unexpected errors stay in the log. */
export function toProblem(error: unknown, request: RefusedRequest, bodyMaxBytes: number): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof TransientError) {
    const detail = 'a service behind the API did not answer; the same request may succeed in a moment';
    return new ApiProblem('unavailable', detail, {}, { headers: { 'retry-after': '5' }, cause: error });
  }
  if (error instanceof CorruptObjectError) {
    const detail = 'what is stored does not have the recorded size or checksum; it is not served';
    return new ApiProblem('result-damaged', detail, {}, { cause: error });
  }
  if (isFastifyError(error)) return fromFastify(error, request, bodyMaxBytes);
  return internal(error);
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && (String(error.code).startsWith('FST_') || 'validation' in error);
}

function fromFastify(error: FastifyError, request: RefusedRequest, bodyMaxBytes: number): ApiProblem {
  if (error.validation !== undefined) return fromValidation(error, request);
  const code = frameworkCodes[error.code] ?? (isClientFault(error) ? 'malformed-request' : 'internal-error');
  switch (code) {
    case 'body-too-large':
      return new ApiProblem(code, `expected a body of at most ${bodyMaxBytes} bytes, got more`, {
        allowed: `${bodyMaxBytes} bytes`,
      });
    case 'unsupported-media-type':
      return new ApiProblem(code, 'expected "Content-Type: application/json", got another or none', {
        parameter: 'Content-Type',
        allowed: 'application/json',
      });
    case 'internal-error':
      return internal(error);
    default:
      return new ApiProblem(code, `expected a well-formed request, got one refused with: ${shorten(error.message)}`);
  }
}

function isClientFault(error: FastifyError): boolean {
  return error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
}

function internal(cause: unknown): ApiProblem {
  const detail = 'the service failed to answer this request; nothing about it is known to be wrong';
  return new ApiProblem('internal-error', detail, {}, { cause });
}

function fromValidation(error: FastifyError, request: RefusedRequest): ApiProblem {
  const inBody = error.validationContext === 'body';
  const container = inBody ? request.body : request.query;
  const place = inBody ? 'body member' : 'query parameter';
  const finding = worstFinding(error.validation ?? []);
  const extra = finding?.params.additionalProperty;
  if (typeof extra === 'string') {
    const name = shorten(extra);
    return new ApiProblem(inBody ? 'invalid-body' : 'unknown-parameter', `${place} "${name}" is not known here`, {
      parameter: name,
    });
  }
  const missing = finding?.params.missingProperty;
  if (typeof missing === 'string') {
    return new ApiProblem(inBody ? 'invalid-body' : 'missing-parameter', `${place} "${missing}" is missing`, {
      parameter: missing,
    });
  }
  const name = finding?.instancePath.split('/')[1];
  if (name === undefined) {
    return new ApiProblem('invalid-body', `expected a JSON object such as {"number": 20000}, got ${kindOf(container)}`);
  }
  return fromMember(name, (container as Record<string, unknown>)[name], inBody, place, finding?.message);
}

/** One finding says enough: a member that does not belong first, then one that is missing, then the first wrong value. */
function worstFinding(findings: readonly FastifySchemaValidationError[]): FastifySchemaValidationError | undefined {
  const byKeyword = (keyword: string) => findings.find((finding) => finding.keyword === keyword);
  return byKeyword('additionalProperties') ?? byKeyword('required') ?? findings[0];
}

function fromMember(name: string, value: unknown, inBody: boolean, place: string, rule = 'is not allowed'): ApiProblem {
  if (name === 'number' && typeof value === 'string') return invalidNumber(value);
  const code: ProblemCode = inBody ? 'invalid-body' : 'invalid-parameter';
  if (Array.isArray(value) && !inBody) {
    return new ApiProblem(code, `expected ${place} "${name}" once, got it ${value.length} times`, { parameter: name });
  }
  if (name === 'number') {
    return new ApiProblem(code, `expected "number" to be a JSON integer or a decimal string, got ${kindOf(value)}`, {
      parameter: name,
    });
  }
  return new ApiProblem(code, `${place} "${name}" ${rule}`, { parameter: name, got: shorten(String(value)) });
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return value === null ? 'null' : 'nothing';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
