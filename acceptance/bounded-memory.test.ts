import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { mebibyte, mebibytes, serviceSlackBytes, startMeasured } from './measured-run.ts';
import { temporaryFolder, userEnvironment } from './product.ts';
import { PeakMemory } from './resident-memory.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

const environmentOf = (memoryMiB: number, settings: Readonly<Record<string, string>> = {}) =>
  userEnvironment({
    DATA_DIR: folder.path,
    COMPUTE_MEMORY_BYTES: `${memoryMiB}MiB`,
    COMPUTE_SCRATCH_BYTES: '4GiB',
    LOG_LEVEL: 'warn',
    ...settings,
  });

describe('the memory of the service', { timeout: 240_000 }, () => {
  it.each([
    // The least there is: one long calculation beside one quick one.
    [128, { QUICK_CONCURRENCY: '1' }, [3_000_000]],
    // Two long ones that take turns, and quick ones beside them.
    [192, { LONG_CONCURRENCY: '2' }, [3_000_000, 2_000_000, 500_000, 100_000]],
    // In memory, as large as it fits.
    [384, {}, [10_000_000]],
  ])(
    'with %d MiB to compute in %j stays within it, its own and 64 MiB for %j',
    async (memoryMiB, settings, numbers) => {
      await using service = await startMeasured(environmentOf(memoryMiB, settings));
      const { peakBytes, rows } = await service.run(numbers);
      console.info(`idle ${mebibytes(service.idleBytes)}, budget ${memoryMiB} MiB, peak ${mebibytes(peakBytes)}`);
      for (const [index, row] of rows.entries()) {
        expect(row).toMatchObject({ status: 'done', checksum: golden(numbers[index] ?? 0).sha256 });
      }
      expect(peakBytes).toBeLessThanOrEqual(service.idleBytes + memoryMiB * mebibyte + serviceSlackBytes);
    },
  );

  it('does not grow with readers that are slow', async () => {
    await using service = await startMeasured(environmentOf(192));
    await service.run([3_000_000]);
    const peak = new PeakMemory(service.process.pid);
    const readers = Array.from({ length: 8 }, async () => {
      const response = await fetch(`${service.process.url}/factorial/digits?number=3000000`);
      let bytes = 0;
      for await (const chunk of response.body ?? []) {
        bytes += chunk.length;
        await new Promise((next) => setTimeout(next, 2));
      }
      return bytes;
    });
    expect(new Set(await Promise.all(readers))).toEqual(new Set([Number(golden(3_000_000).digits)]));
    expect(peak.stop()).toBeLessThanOrEqual(service.idleBytes + 192 * mebibyte + serviceSlackBytes);
  });
});
