import { LSN_ZERO } from '@sluice/core/lsn';
import { SluiceError } from '@sluice/core/errors';
import { expect, test } from 'vitest';
import { newCounters } from '../sessions/counters.js';
import { EventCounts } from './event-counts.js';
import { loggable } from './log.js';
import { Metrics } from './metrics.js';
import { readinessOf } from './readiness.js';
import { Cost } from '../views/cost.js';
import type { Readings } from './readings.js';

const source: Readings['source'] = {
  state: 'streaming',
  epoch: '1.1',
  position: LSN_ZERO,
  chain: 1,
  slot: 'sluice_1',
  slotMode: 'temporary',
  lagBytes: 5n,
  lagMs: null,
  backlog: 'none',
  backlogMs: 0,
  backlogs: { pause: 0, shed: 0 },
  retainedWalAlarmPercent: 0,
  retainedWalBytes: null,
  maxRetainedWalBytes: 100,
  retainedTransactions: 0,
  retainedBytes: 0,
  heldBack: 0,
  openFetches: 0,
  runningFetches: 0,
  queuedFetches: 0,
  blocking: [],
  transactions: 3,
  changes: 0,
  bytes: 0,
  fetches: 0,
  reconnects: 0,
  slotsLost: 0,
  slotsGivenUp: 0,
  lastError: null,
};

function readings(counts: EventCounts): Readings {
  return {
    source,
    views: {
      views: 0,
      incremental: 0,
      rerun: 0,
      restless: 0,
      slowed: 0,
      shed: 0,
      heldRows: 7,
      heldBytes: 2048,
      keptBytes: 1024,
      unkept: 4,
      heldTexts: 9,
      cost: new Cost().totals,
    },
    catalog: { ageMs: null, reads: 1 },
    events: counts.totals(),
    pool: { open: 1, idle: 1, waiting: 0 },
    sessions: {
      sessions: 2,
      views: 0,
      idleViews: 0,
      subscriptions: 0,
      heldBytes: 0,
      counters: newCounters(),
    },
    refused: new Map([['message_invalid', 2]]),
  };
}

test('values are those of the moment of the scrape; what is not known is left out', async () => {
  const metrics = new Metrics();
  const counts = new EventCounts();
  counts.error('message_invalid');
  for (let scrape = 0; scrape < 2; scrape++) {
    const text = await metrics.text(readings(counts));
    expect(text).toMatch(/^sluice_stream_lag_bytes 5$/m);
    expect(text).not.toMatch(/^sluice_stream_lag_ms \d/m);
    expect(text).toMatch(/^sluice_transactions_total 3$/m);
    expect(text).toMatch(/^sluice_connections 2$/m);
    expect(text).toMatch(/^sluice_held_rows 7$/m);
    expect(text).toMatch(/^sluice_held_bytes 2048$/m);
    expect(text).toMatch(/^sluice_kept_bytes 1024$/m);
    expect(text).toMatch(/^sluice_views_unkept 4$/m);
    expect(text).toMatch(/^sluice_held_texts 9$/m);
    expect(text).toMatch(/^sluice_errors_total\{code="message_invalid"\} 3$/m);
  }
});

test('templates beyond the fiftieth share a label', () => {
  const counts = new EventCounts();
  for (let n = 0; n < 80; n++)
    counts.viewEvent({ kind: 'reran', template: `template-${n}`, views: 2, ms: 1 });
  counts.viewEvent({ kind: 'reran', template: 'template-0', views: 1, ms: 1 });
  counts.viewEvent({ kind: 'handed_over', template: 't', why: 'too_much' });
  counts.viewEvent({ kind: 'handed_over', template: 'u', why: 'too_much' });
  expect(counts.totals().handedOver).toEqual([['too_much', 2]]);
  const { reruns } = counts.totals();
  expect(reruns).toHaveLength(51);
  expect(reruns[0]).toEqual({ template: 'template-0', runs: 2, views: 3, ms: 2 });
  expect(reruns[50]).toEqual({ template: 'other', runs: 30, views: 60, ms: 30 });
});

test('every state that cannot serve says what it waits for', () => {
  for (const state of ['stopped', 'connecting', 'waiting', 'settling', 'disconnected'] as const) {
    expect(readinessOf({ ...source, state }, false)).toMatchObject({
      ok: false,
      waitsFor: expect.stringMatching(/\w/) as string,
    });
  }
  expect(readinessOf(source, false)).toEqual({ ok: true });
  expect(readinessOf({ ...source, backlog: 'pause' }, false)).toMatchObject({
    ok: true,
    degraded: { stage: 'pause', behindBytes: 5, slotGivenUpAtBytes: 100 },
  });
  expect(readinessOf(source, true).ok).toBe(false);
  const blocker = { xid: '7', pid: 3, prepared: null, ageMs: 9, application: 'secret name' };
  const settling = readinessOf({ ...source, state: 'settling', blocking: [blocker] }, false);
  expect(settling['transactions']).toEqual([{ xid: '7', pid: 3, prepared: null, ageMs: 9 }]);
});

test('an error is logged without words that may quote a row', () => {
  const cause = Object.assign(new Error('invalid input syntax: "c4n4ry"'), { code: '22P02' });
  const entry = { message: 'It failed.', hint: 'Mend it.', retry: false, stage: 'views' } as const;
  const logged = loggable(new SluiceError('some_code', entry, undefined, { cause }));
  expect(logged).toMatchObject({ code: 'some_code', cause: { class: 'Error', code: '22P02' } });
  expect(JSON.stringify(logged)).not.toContain('c4n4ry');
  expect(loggable('c4n4ry')).toEqual({ class: 'string' });
});
