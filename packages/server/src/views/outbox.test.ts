import { asLsn, type Lsn } from '@sluice/core/lsn';
import { expect, test } from 'vitest';
import type { Transaction } from '../source/transaction.js';
import { Outbox } from './outbox.js';
import type { FromViews } from './port.js';

const ended = (lsn: Lsn): Transaction => ({
  xid: 1,
  lsn,
  previous: asLsn(lsn - 1n),
  changes: [],
  bulk: new Map(),
  messages: [],
  bytes: 0,
});
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('many entries do not wait for the end of the turn, and all of a transaction go together', async () => {
  const said: FromViews[] = [];
  let lsn = asLsn(0n);
  const outbox = new Outbox({ now: () => ({ epoch: 'e', lsn }), answer: () => 'answered' });
  const publish = (count: number): void => {
    for (let n = 0; n < count; n++) outbox.publish({ kind: 'again', place: n, from: lsn });
  };
  outbox.listen((message) => said.push(message));
  await turn();
  said.length = 0;
  const batches = (): unknown[] =>
    said.map((message) =>
      message.kind === 'batch' ? [message.entries.length, message.position] : message.kind,
    );
  for (const count of [499, 0, 700, 3]) {
    lsn = asLsn(lsn + 1n);
    publish(count);
    if (count === 700) expect(said).toEqual([]); // half of the transaction would be told as all of it
    outbox.ended(ended(lsn));
  }
  expect(batches()).toEqual([[1199, 3n]]);
  await turn();
  expect(batches()).toEqual([
    [1199, 3n],
    [3, 4n],
  ]);
  lsn = asLsn(lsn + 1n);
  outbox.ended(ended(lsn));
  await turn();
  expect(batches().at(-1)).toEqual([0, 5n]); // nothing changed up to there, and that is told
});
