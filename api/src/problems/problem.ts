import { type ProblemCode, problemCatalogue, problemType } from './catalogue.ts';

/** Members of a problem beside the standard ones. */
export interface ProblemMembers {
  /** The request member at fault: a query parameter, a header, a body member. */
  readonly parameter?: string;
  /** What was sent, shortened. */
  readonly got?: string;
  /** What would have been accepted. */
  readonly allowed?: string;
  /** n as a decimal string, where the problem is about one. */
  readonly number?: string;
  /** Largest n possible here and now, as a decimal string. */
  readonly largestPossible?: string;
  /** What a calculation that does not fit would take. */
  readonly needs?: {
    readonly engine: string;
    readonly threads: number;
    readonly storage: string;
    readonly memoryBytes: number;
    readonly scratchBytes: number;
    readonly ioBytes: number;
    readonly estimatedSeconds: number;
  };
  /** Why a calculation failed: stable code and words. */
  readonly reason?: { readonly code: string; readonly message: string };
  /** Where to go on. */
  readonly links?: Readonly<Record<string, string>>;
}

/** A problem (RFC 9457) on its way to the client. Routes throw it; the error handler sends it. */
export class ApiProblem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly members: ProblemMembers;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    members: ProblemMembers = {},
    more: { readonly headers?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ApiProblem';
    this.code = code;
    this.status = problemCatalogue[code][0];
    this.members = members;
    this.headers = more.headers ?? {};
  }

  /** The body: standard members first. */
  toJSON(): Record<string, unknown> {
    const [status, title] = problemCatalogue[this.code];
    return { type: problemType(this.code), title, status, detail: this.message, ...this.members };
  }
}

/** Text from a client, fit to be repeated in an answer: printable and at most 64 characters. */
export function shorten(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/gu, '�');
  return printable.length <= 64 ? printable : `${printable.slice(0, 61)}…`;
}
