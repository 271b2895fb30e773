import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one request is answered with instead of the usual. */
export type Fault = 'unavailable' | 'hang';

/**
 * Speaks just enough of S3's protocol for one upload: PutObject, Create, UploadPart, Complete and AbortMultipartUpload, with ETags.
 * It checks no signatures and keeps everything in memory: a test of the sink's protocol, not of S3.
 */
export class S3ProtocolServer implements AsyncDisposable {
  readonly objects = new Map<string, Buffer>();
  readonly uploads = new Map<string, Map<number, Buffer>>();
  /** One line per request: method, and what of an upload it was. */
  readonly requests: string[] = [];
  partsInFlight = 0;
  mostPartsInFlight = 0;
  /** Asked for every request before it is answered. */
  fault: (request: string, count: number) => Fault | undefined = () => undefined;
  readonly #server: Server;
  #uploadCount = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const kind = requestKind(request.method ?? '', url);
    this.requests.push(kind);
    const isPart = kind.startsWith('part');
    if (isPart) this.mostPartsInFlight = Math.max(this.mostPartsInFlight, ++this.partsInFlight);
    const body: Buffer[] = [];
    request.on('data', (data: Buffer) => body.push(data));
    request.on('close', () => {
      if (isPart) this.partsInFlight--;
    });
    await once(request, 'end').catch(() => undefined);
    const fault = this.fault(kind, this.requests.filter((each) => each === kind).length);
    if (fault === 'hang') return;
    if (fault === 'unavailable') response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
    else this.#perform(kind, url, Buffer.concat(body), response);
  }

  #perform(kind: string, url: URL, body: Buffer, response: ServerResponse): void {
    const uploadId = url.searchParams.get('uploadId') ?? '';
    const upload = this.uploads.get(uploadId);
    if (kind === 'create') {
      const id = `upload-${++this.#uploadCount}`;
      this.uploads.set(id, new Map());
      response.end(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    } else if (kind === 'put') {
      this.objects.set(url.pathname, body);
      response.setHeader('ETag', eTagOf(body)).end();
    } else if (upload === undefined) {
      response.writeHead(404).end('<Error><Code>NoSuchUpload</Code></Error>');
    } else if (kind === 'abort') {
      this.uploads.delete(uploadId);
      response.writeHead(204).end();
    } else if (kind === 'complete') {
      const partNumbers = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map((match) => Number(match[1]));
      this.objects.set(url.pathname, Buffer.concat(partNumbers.map((partNumber) => upload.get(partNumber)!)));
      this.uploads.delete(uploadId);
      response.end('<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>');
    } else {
      upload.set(Number(url.searchParams.get('partNumber')), body);
      response.setHeader('ETag', eTagOf(body)).end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function requestKind(method: string, url: URL): string {
  const partNumber = url.searchParams.get('partNumber');
  if (method === 'PUT') return partNumber === null ? 'put' : `part ${partNumber}`;
  if (method === 'DELETE') return 'abort';
  return url.searchParams.has('uploads') ? 'create' : 'complete';
}

/** S3's ETag of a plain part: the quoted MD5. */
export function eTagOf(body: Uint8Array): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
