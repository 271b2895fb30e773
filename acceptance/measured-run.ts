import { setTimeout as delay } from 'node:timers/promises';
import { ServiceProcess } from './real-services/service-process.ts';
import { PeakMemory, residentBytes } from './resident-memory.ts';

export const mebibyte = 2 ** 20;
/** What the service may take beside its compute budget and what it takes when idle. */
export const serviceSlackBytes = 64 * mebibyte;

/** One service, as `npm start` runs it, whose memory is watched. */
export interface MeasuredService extends AsyncDisposable {
  readonly process: ServiceProcess;
  /** Resident memory after a first small result, when nothing runs. */
  readonly idleBytes: number;
  /** Calculate these at once; the peak of the whole process tree, and each row as it ended. */
  run(numbers: readonly number[]): Promise<{ readonly peakBytes: number; readonly rows: readonly MeasuredRow[] }>;
}

export interface MeasuredRow {
  readonly status: string;
  readonly checksum: string | null;
  readonly error: { readonly message: string } | null;
}

/** Start it with this environment, warm it up with 1,000!, and let it rest. */
export async function startMeasured(environment: NodeJS.ProcessEnv): Promise<MeasuredService> {
  const service = await ServiceProcess.start('main', { ...environment, PORT: '0' });
  await calculate(service, 1000);
  await delay(1_000);
  const idleBytes = residentBytes(service.pid);
  return {
    process: service,
    idleBytes,
    async run(numbers) {
      const peak = new PeakMemory(service.pid);
      const rows = await Promise.all(numbers.map((n) => calculate(service, n)));
      return { peakBytes: peak.stop(), rows };
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
    },
  };
}

async function calculate(service: ServiceProcess, n: number): Promise<MeasuredRow> {
  const headers = { 'content-type': 'application/json' };
  await fetch(`${service.url}/factorial`, { method: 'POST', headers, body: JSON.stringify({ number: n }) });
  for (;;) {
    const row = (await (await fetch(`${service.url}/factorial/metadata?number=${n}`)).json()) as MeasuredRow;
    if (row.status === 'done' || row.status === 'failed') return row;
    await delay(50);
  }
}

/** Bytes as whole MiB, for people. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`;
}
