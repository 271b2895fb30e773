import type { FactorialRow } from '@factorial/backing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Capacity } from '../admission/capacity.ts';
import { retryAfterSeconds } from '../admission/retry-after.ts';
import type { ApiContext } from '../dependencies.ts';
import { absenceProblem } from '../problems/absence.ts';
import { sendDigits } from '../representation/send-digits.ts';
import { digitsInStore } from '../representation/stored-digits.ts';
import { whileObjectExists } from './missing-object.ts';

/** Sends the stored digits of n, or redirects to a presigned URL when they are many; throws why there are none. */
export async function sendStoredResult(
  request: FastifyRequest,
  reply: FastifyReply,
  row: FactorialRow | undefined,
  n: bigint,
  context: ApiContext,
  capacity: Capacity,
): Promise<FastifyReply> {
  const { options, objects, metadata } = context;
  if (row?.status !== 'done') {
    throw absenceProblem(n, row, row === undefined ? 0 : retryAfterSeconds(row, capacity, options));
  }
  const digits = digitsInStore(row, objects);
  const { presignMinBytes, presignTtlSeconds } = options;
  const many = presignMinBytes !== undefined && digits.length >= presignMinBytes;
  const elsewhere = many ? () => objects.presign(row.objectKey, presignTtlSeconds) : undefined;
  const sent = await whileObjectExists(n, metadata, () => sendDigits(request, reply, digits, elsewhere));
  context.reads.note(n);
  return sent;
}
