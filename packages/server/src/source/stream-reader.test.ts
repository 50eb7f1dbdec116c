import { asLsn } from '@sluice/core/lsn';
import { expect, test } from 'vitest';
import { StreamReader } from './stream-reader.js';

/** A transaction with nothing in it but a logical message, as pgoutput sends it. */
function messagesOf(xid: number, end: bigint): Buffer[] {
  const begin = Buffer.alloc(21);
  begin.write('B');
  begin.writeUInt32BE(xid, 17);
  const message = Buffer.alloc(10);
  message.write('M');
  message.writeUInt8(1, 1);
  const commit = Buffer.alloc(26);
  commit.write('C');
  commit.writeBigUInt64BE(end - 8n, 2);
  commit.writeBigUInt64BE(end, 10);
  return [begin, Buffer.concat([message, Buffer.from('p\0\0\0\0\0')]), commit];
}

test('C1: what a slot sends again, at or below what was told, is not told again', () => {
  const told: bigint[] = [];
  const reader = new StreamReader(asLsn(200n), 1_000_000, {
    coming: () => undefined,
    transaction: ({ lsn }) => told.push(lsn),
    progress: (lsn) => told.push(lsn),
    keepalive: () => undefined,
  });
  for (const [xid, end] of [150n, 200n, 210n, 210n, 300n].entries())
    for (const bytes of messagesOf(xid, end)) reader.message(bytes, 0, bytes.length);
  reader.keepalive(asLsn(250n), false);
  reader.keepalive(asLsn(310n), false);
  reader.flush();
  expect(told).toEqual([210n, 300n, 310n]);
});

test('C1: a keepalive within a transaction does not pass what is on its way', () => {
  const told: bigint[] = [];
  const reader = new StreamReader(asLsn(200n), 1_000_000, {
    coming: () => undefined,
    transaction: ({ lsn }) => told.push(lsn),
    progress: (lsn) => told.push(lsn),
    keepalive: () => undefined,
  });
  const [begin, message, commit] = messagesOf(7, 300n) as [Buffer, Buffer, Buffer];
  reader.message(begin, 0, begin.length);
  reader.keepalive(asLsn(400n), false);
  for (const bytes of [message, commit]) reader.message(bytes, 0, bytes.length);
  reader.flush();
  expect(told).toEqual([300n]);
});

test('what one chunk brings is announced together, and told in its order', () => {
  const told: (bigint | readonly bigint[])[] = [];
  const reader = new StreamReader(asLsn(0n), 1_000_000, {
    coming: (transactions) => told.push(transactions.map(({ lsn }) => lsn)),
    transaction: ({ lsn }) => told.push(lsn),
    progress: (lsn) => told.push(lsn),
    keepalive: () => undefined,
  });
  const send = (...ends: readonly bigint[]): void => {
    for (const end of ends)
      for (const bytes of messagesOf(Number(end), end)) reader.message(bytes, 0, bytes.length);
  };
  send(10n, 20n);
  expect(told).toEqual([]);
  reader.keepalive(asLsn(30n), false);
  reader.flush();
  expect(told.splice(0)).toEqual([[10n, 20n], 10n, 20n, 30n]);
  // One alone is nothing to announce.
  send(40n);
  reader.flush();
  reader.flush();
  expect(told.splice(0)).toEqual([40n]);
  // However many come, no more are kept than are looked at together.
  send(...Array.from({ length: 70 }, (_, n) => BigInt(50 + n)));
  expect(told.splice(0)).toHaveLength(4 * (1 + 16));
  // After the end of the connection nothing is told.
  reader.end();
  reader.flush();
  expect(told).toEqual([]);
});

test('C1: what a sender says between transactions keeps none of them apart, and what it asks is answered once', () => {
  const told: (bigint | string)[] = [];
  const reader = new StreamReader(asLsn(0n), 1_000_000, {
    coming: (transactions) => told.push(`coming ${transactions.length}`),
    transaction: ({ lsn }) => told.push(lsn),
    progress: (lsn) => told.push(`progress ${lsn}`),
    keepalive: (replyRequested) => told.push(`keepalive ${replyRequested}`),
  });
  const send = (end: bigint, isEmpty = false): void => {
    const [begin, message, commit] = messagesOf(Number(end), end) as [Buffer, Buffer, Buffer];
    for (const bytes of isEmpty ? [begin, commit] : [begin, message, commit])
      reader.message(bytes, 0, bytes.length);
  };
  send(10n);
  reader.keepalive(asLsn(15n), true);
  send(20n, true);
  reader.keepalive(asLsn(25n), false);
  send(30n);
  reader.flush();
  expect(told.splice(0)).toEqual(['coming 2', 10n, 30n, 'keepalive true']);
  // What was passed last is told, behind what came before.
  send(40n);
  reader.keepalive(asLsn(45n), false);
  send(50n, true);
  reader.flush();
  expect(told.splice(0)).toEqual([40n, 'progress 50', 'keepalive false']);
  reader.flush();
  expect(told).toEqual([]);
});

test.each(['a keepalive', 'a transaction without changes'])(
  'C1: where the connection ended, what came with it is not passed over by %s',
  (kind) => {
    const told: (bigint | string)[] = [];
    const reader: StreamReader = new StreamReader(asLsn(0n), 1_000_000, {
      coming: () => undefined,
      transaction: ({ lsn }) => {
        told.push(lsn);
        reader.end();
      },
      progress: (lsn) => told.push(`progress ${lsn}`),
      keepalive: () => told.push('keepalive'),
    });
    for (const end of [10n, 20n])
      for (const bytes of messagesOf(Number(end), end)) reader.message(bytes, 0, bytes.length);
    const [begin, , commit] = messagesOf(3, 30n) as [Buffer, Buffer, Buffer];
    if (kind === 'a keepalive') reader.keepalive(asLsn(30n), false);
    else for (const bytes of [begin, commit]) reader.message(bytes, 0, bytes.length);
    reader.flush();
    expect(told).toEqual([10n]);
  },
);
