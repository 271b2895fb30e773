import type { HttpFault, HttpFaultProxy, ProxiedRequest } from './http-fault-proxy.ts';

/** What a request asks of S3, as far as the tests tell them apart. */
export type S3Operation = 'create' | 'part' | 'complete' | 'put' | 'get';

export function operationOf({ method, url }: ProxiedRequest): S3Operation | undefined {
  if (method === 'POST') return url.searchParams.has('uploads') ? 'create' : 'complete';
  if (method === 'PUT') return url.searchParams.has('partNumber') ? 'part' : 'put';
  return method === 'GET' && !url.search.includes('list-type') ? 'get' : undefined;
}

/** Harm the first `times` requests of this kind, and of this part where one is given. */
export function harm(
  proxy: HttpFaultProxy,
  operation: S3Operation,
  fault: HttpFault,
  times = 1,
  partNumber?: number,
): { harmed: number } {
  const state = { harmed: 0 };
  proxy.fault = (request) => {
    if (operationOf(request) !== operation || state.harmed === times) return undefined;
    if (partNumber !== undefined && request.url.searchParams.get('partNumber') !== String(partNumber)) return undefined;
    state.harmed += 1;
    return fault;
  };
  return state;
}
