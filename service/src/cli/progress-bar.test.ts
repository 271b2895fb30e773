import { describe, expect, it } from 'vitest';
import { formatSeconds, ProgressBar, renderProgress } from './progress-bar.ts';

describe('renderProgress', () => {
  it('shows phase, share and time left', () => {
    const text = renderProgress({ phase: 'product', done: 25, total: 100 }, 10);
    expect(text).toContain('product');
    expect(text).toContain(' 25 %');
    expect(text).toContain('ETA 30 s');
  });

  it('knows no time left before the first unit is done', () => {
    expect(renderProgress({ phase: 'sieve', done: 0, total: 100 }, 10)).toContain('ETA …');
    expect(renderProgress({ phase: 'sieve', done: 0, total: 0 }, 0)).toContain('  0 %');
  });

  it('never draws beyond its cells', () => {
    const full = renderProgress({ phase: 'emit', done: 100, total: 100 }, 10);
    expect(full).toContain(`[${'='.repeat(30)}]`);
    expect(full).toContain('100 %');
    expect(renderProgress({ phase: 'emit', done: 200, total: 100 }, 10)).toBe(full);
  });
});

describe('formatSeconds', () => {
  it.each([
    [0, '0.0 s'],
    [0.449, '0.4 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [75, '1 min 15 s'],
    [3599.6, '1 h 00 min'],
    [7300, '2 h 01 min'],
  ])('writes %d as %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});

describe('ProgressBar', () => {
  it('stays away from what is over at once, draws at most ten times a second, and is gone when closed', async () => {
    const written: string[] = [];
    const stream = { columns: 40, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;
    const bar = new ProgressBar(stream);
    const progress = { phase: 'product', done: 1, total: 50 } as const;
    bar.update(progress);
    expect(written).toEqual([]);
    await new Promise((next) => setTimeout(next, 320));
    for (let call = 0; call < 50; call += 1) bar.update(progress);
    expect(written).toHaveLength(1);
    expect(written[0]?.replace('\x1b[K', '').length).toBeLessThanOrEqual(40);
    bar.close();
    expect(written.at(-1)).toBe('\r\x1b[K');
    await new Promise((next) => setTimeout(next, 120));
    bar.update(progress);
    bar.close();
    expect(written).toHaveLength(2);
  });
});
