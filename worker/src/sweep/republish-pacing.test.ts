import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RepublishPacing } from './republish-pacing.ts';

it('publishes an unclaimed row again only after a pause that doubles, and forgets rows that were claimed', async () => {
  const pacing = new RepublishPacing(10);
  const row = { n: 7n, attempt: 1 };
  const other = { n: 8n, attempt: 1 };
  expect(pacing.due([row, other])).toEqual([row, other]);
  pacing.published(row);
  expect(pacing.due([row, other])).toEqual([other]);
  expect(pacing.due([{ ...row, attempt: 2 }, row])).toEqual([{ ...row, attempt: 2 }]);
  await delay(35);
  expect(pacing.due([row])).toEqual([row]);
  pacing.published(row);
  await delay(35);
  expect(pacing.due([row])).toEqual([]);
  await delay(35);
  expect(pacing.due([row])).toEqual([row]);
  pacing.published(row);
  expect(pacing.due([])).toEqual([]);
  expect(pacing.due([row])).toEqual([row]);
});
