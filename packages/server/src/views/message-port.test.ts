import { MessageChannel } from 'node:worker_threads';
import { asLsn } from '@sluice/core/lsn';
import { expect, test } from 'vitest';
import { ScriptedViews } from '../testing/scripted-views.js';
import { RemoteViews, serveViews } from './message-port.js';
import type { FromViews } from './port.js';

test('what passes between views and sessions arrives as it was, in order', async () => {
  const { port1, port2 } = new MessageChannel();
  const views = new ScriptedViews();
  const stop = serveViews(views, port1);
  const remote = new RemoteViews(port2);
  const heard: FromViews[] = [];
  let wake = (): void => undefined;
  remote.listen((message) => {
    heard.push(message);
    wake();
  });
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };

  const claims = { sub: 'ada', groups: ['a', 'b'], admin: false, none: null };
  const spec = { sql: 'a', params: ['1', null], principal: { role: 'r', claims }, adHoc: true, tick: '1m' };
  remote.post({ kind: 'open', ref: 1, spec });
  await until(1);
  expect(views.take('open')).toEqual([{ kind: 'open', ref: 1, spec }]);
  expect(heard).toEqual([
    { kind: 'opened', ref: 1, view: 'a', place: 0, shape: views.shape, gear: 'incremental' },
  ]);

  const large = 2 ** 60;
  views.batch(
    large,
    { rows: 'a', at: 3, is: [['é', ['😀', null]]] },
    { delta: 'a', from: 3, to: 5, ops: [['del', 'é']] },
    { delta: 'a', from: 5, to: 7, ops: [['put', 'é', ['é']]], edited: [['edit', 'é', [[0, 'é']]]] },
    { gap: 'a', through: 8 },
    { error: 'a', from: 9, is: { code: 'c', message: 'm', retry: true } },
    { again: 'a', from: 10 },
  );
  views.tell({ kind: 'token', token: 'token-x', lsn: asLsn(2n ** 63n) });
  await until(3);
  const [, batch, token] = heard;
  expect(token).toEqual({ kind: 'token', token: 'token-x', lsn: 2n ** 63n });
  if (batch?.kind !== 'batch') throw new Error('no batch');
  expect(batch.position).toBe(BigInt(large));
  expect(batch.entries.map((entry) => entry.kind)).toEqual([
    'rows',
    'delta',
    'delta',
    'gap',
    'error',
    'again',
  ]);
  const [rows] = batch.entries;
  if (rows?.kind !== 'rows') throw new Error('no rows');
  expect(JSON.parse(Buffer.from(rows.message).toString())).toMatchObject({ rows: [['é', ['😀', null]]] });
  expect(rows.message.buffer.byteLength).toBe(rows.message.byteLength);
  const [, , delta] = batch.entries;
  if (delta?.kind !== 'delta') throw new Error('no delta');
  const read = (bytes: Uint8Array = new Uint8Array()): unknown => JSON.parse(Buffer.from(bytes).toString());
  expect(read(delta.message)).toMatchObject({ ops: [['put', 'é', ['é']]] });
  expect(read(delta.edited)).toMatchObject({ ops: [['edit', 'é', [[0, 'é']]]] });
  stop();
  remote.close();
});
