import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runningSince } from './running-process.ts';

describe.runIf(process.platform === 'linux')('runningSince', () => {
  it('says of this process always the same', () => {
    expect(runningSince(process.pid)).toMatch(/^[1-9]\d*$/);
    expect(runningSince(process.pid)).toBe(runningSince(process.pid));
  });

  it('knows that a process is gone', () => {
    expect(runningSince(spawnSync('true').pid)).toBeUndefined();
  });

  it('takes one that ended, and whose parent does not wait for it, for gone', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 20']);
    try {
      const [said] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(said.toString());
      for (let tries = 0; !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '); tries++) {
        expect(tries).toBeLessThan(500);
        await new Promise((next) => setTimeout(next, 10));
      }
      expect(process.kill(pid, 0)).toBe(true);
      expect(runningSince(pid)).toBeUndefined();
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
