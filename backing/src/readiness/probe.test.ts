import { describe, expect, it } from 'vitest';
import { Probe } from './probe.ts';

describe('a readiness probe', () => {
  it('pings a hanging service once, however often it is asked, and recovers with it', async () => {
    let pings = 0;
    let answer = (): void => {};
    const ping = (): Promise<void> => {
      pings += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const probe = new Probe({ name: 'slow', required: true, ping });
    for (let time = 0; time < 3; time++)
      expect(await probe.run(5)).toMatchObject({ ok: false, error: 'no answer within 5 ms' });
    expect(pings).toBe(1);
    answer();
    await new Promise((go) => setImmediate(go));
    const recovered = probe.run(1_000);
    answer();
    expect(await recovered).toEqual({ name: 'slow', ok: true, required: true, error: null });
  });

  it('tells the class of an error and not its words, also of one thrown at once, and pings again', async () => {
    let pings = 0;
    const ping = (): Promise<void> => {
      pings += 1;
      throw new TypeError('secret-host:5432 refused');
    };
    const probe = new Probe({ name: 'broken', required: false, ping });
    for (let time = 1; time <= 2; time++) {
      expect(await probe.run(1_000)).toEqual({ name: 'broken', ok: false, required: false, error: 'TypeError' });
      expect(pings).toBe(time);
    }
  });
});
