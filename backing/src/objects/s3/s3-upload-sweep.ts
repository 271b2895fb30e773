import type { MultipartUpload } from '@aws-sdk/client-s3';
import type { S3Access } from './s3-connection.ts';
import { hasName } from './s3-faults.ts';

export interface UploadSweepOptions {
  readonly bucket: string;
  readonly prefix: string;
  readonly pageSize: number;
  /** Uploads with no sign of life since then are aborted. */
  readonly before: Date;
  /** Uploads of this process, which are left alone. */
  readonly own: ReadonlySet<string>;
}

/**
 * Abort multipart uploads that nobody writes to any more, at all workers. An upload lives as long as parts arrive, however long ago it began.
 * Resolves to how many were aborted.
 */
export async function sweepUploads({ sdk, client }: S3Access, options: UploadSweepOptions): Promise<number> {
  const { bucket: Bucket, before, own } = options;
  let aborted = 0;
  for await (const { Key, UploadId, Initiated } of uploads({ sdk, client }, options)) {
    if (Key === undefined || UploadId === undefined || own.has(UploadId)) continue;
    if (Initiated === undefined || Initiated > before) continue;
    try {
      const lastPartAt = await newestPart({ sdk, client }, { Bucket, Key, UploadId, MaxParts: options.pageSize });
      if (lastPartAt > before) continue;
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      aborted += 1;
    } catch (fault) {
      // Finished or aborted meanwhile.
      if (!hasName(fault, 'NoSuchUpload')) throw fault;
    }
  }
  return aborted;
}

async function* uploads(
  { sdk, client }: S3Access,
  { bucket: Bucket, prefix, pageSize: MaxUploads }: UploadSweepOptions,
): AsyncGenerator<MultipartUpload> {
  let marker = {};
  for (;;) {
    const page = await client.send(
      new sdk.ListMultipartUploadsCommand({
        Bucket,
        MaxUploads,
        ...(prefix === '' ? {} : { Prefix: prefix }),
        ...marker,
      }),
    );
    yield* page.Uploads ?? [];
    if (!page.IsTruncated || page.NextKeyMarker === undefined) return;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

/** When the newest part was stored; the beginning of time when there is none. S3 takes 10,000 parts: ten full pages. */
async function newestPart(
  { sdk, client }: S3Access,
  upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string; readonly MaxParts: number },
): Promise<Date> {
  let newest = new Date(0);
  let marker: string | undefined;
  do {
    const page = await client.send(
      new sdk.ListPartsCommand({ ...upload, ...(marker === undefined ? {} : { PartNumberMarker: marker }) }),
    );
    for (const { LastModified } of page.Parts ?? []) {
      if (LastModified !== undefined && LastModified > newest) newest = LastModified;
    }
    marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return newest;
}
