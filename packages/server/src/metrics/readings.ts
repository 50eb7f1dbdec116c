import type { RegistryStatus } from '../registry/registry-watch.js';
import type { SessionsStatus } from '../sessions/sessions.js';
import type { SourceStatus } from '../source/source-status.js';
import type { ViewStatus } from '../views/host-options.js';
import type { EventTotals } from './event-counts.js';

/** What the stages from the source to the views say of themselves. Plain data: crosses from the views' thread. */
export interface SourceSideStatus {
  readonly source: SourceStatus;
  readonly views: ViewStatus;
  readonly catalog: RegistryStatus;
  readonly events: EventTotals;
  readonly pool: { readonly open: number; readonly idle: number; readonly waiting: number };
}

/** Everything that a scrape reads, at one moment. */
export interface Readings extends SourceSideStatus {
  readonly sessions: SessionsStatus;
  /** Connections and messages that were refused, by code. */
  readonly refused: ReadonlyMap<string, number>;
}

/** One metric: how it is called, what it means, and where its value is. */
export interface Reading {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly label?: string;
  /** The value; null while it is not known; with a label one value each. */
  readonly read: (readings: Readings) => number | null | readonly (readonly [label: string, value: number])[];
}

const gauge = (name: string, help: string, read: Reading['read'], label?: string): Reading => ({
  name: `sluice_${name}`,
  help,
  kind: 'gauge',
  read,
  ...(label === undefined ? {} : { label }),
});
const counter = (name: string, help: string, read: Reading['read'], label?: string): Reading => ({
  ...gauge(`${name}_total`, help, read, label),
  kind: 'counter',
});
const optional = (value: bigint | null): number | null => (value === null ? null : Number(value));

const STATES: readonly SourceStatus['state'][] = [
  'stopped',
  'connecting',
  'waiting',
  'settling',
  'streaming',
  'disconnected',
];

const BACKLOG_STAGES: readonly SourceStatus['backlog'][] = ['none', 'pause', 'shed'];

export const READINGS: readonly Reading[] = [
  gauge(
    'source_state',
    'The state of the stream: 1 for the one it is in',
    ({ source }) => STATES.map((state) => [state, state === source.state ? 1 : 0]),
    'state',
  ),
  gauge('stream_lag_bytes', 'From the position of the stream to the end of the WAL', ({ source }) =>
    optional(source.lagBytes),
  ),
  gauge(
    'stream_lag_ms',
    'How long the stream takes to pass what was the end of the WAL',
    ({ source }) => source.lagMs,
  ),
  gauge(
    'backlog_stage',
    'What is asked less of a stream that is far behind the WAL: 1 for the stage it is in',
    ({ source }) => BACKLOG_STAGES.map((stage) => [stage, stage === source.backlog ? 1 : 0]),
    'stage',
  ),
  counter(
    'backlogs',
    'How often each stage was entered',
    ({ source }) => Object.entries(source.backlogs),
    'stage',
  ),
  gauge(
    'views_shed',
    'Views that are not followed until the stream has caught up',
    ({ views }) => views.shed,
  ),
  gauge('retained_wal_bytes', 'WAL that Postgres keeps because of our slot', ({ source }) =>
    optional(source.retainedWalBytes),
  ),
  gauge(
    'retained_wal_alarm_percent',
    'Of the limit, the highest of 25, 50 and 75 that it is above; 0 below all',
    ({ source }) => source.retainedWalAlarmPercent,
  ),
  gauge('retained_wal_limit_bytes', 'Where the slot is given up', ({ source }) => source.maxRetainedWalBytes),
  gauge(
    'retained_transactions',
    'Decoded transactions kept for reads at a snapshot',
    ({ source }) => source.retainedTransactions,
  ),
  gauge('retained_transaction_bytes', 'Their size', ({ source }) => source.retainedBytes),
  gauge(
    'held_back_transactions',
    'Transactions that wait until a snapshot sees them',
    ({ source }) => source.heldBack,
  ),
  gauge(
    'fetches_under_way',
    'Reads at a snapshot: open until caught up, running in Postgres, queued for a connection',
    ({ source }) => [
      ['open', source.openFetches],
      ['running', source.runningFetches],
      ['queued', source.queuedFetches],
    ],
    'state',
  ),
  counter('fetches', 'Reads at a snapshot', ({ source }) => source.fetches),
  counter('transactions', 'Transactions of the stream', ({ source }) => source.transactions),
  counter('changes', 'Changes of the stream', ({ source }) => source.changes),
  counter('stream_bytes', 'Bytes of the stream', ({ source }) => source.bytes),
  counter('reconnects', 'Attempts to connect the stream again', ({ source }) => source.reconnects),
  counter('slots_lost', 'Slots that vanished or were invalidated', ({ source }) => source.slotsLost),
  counter(
    'slots_given_up',
    'Slots given up because they held too much WAL',
    ({ source }) => source.slotsGivenUp,
  ),
  gauge(
    'catalog_age_ms',
    'Since the catalog was last looked at: how late a change of schema or rights may be seen',
    ({ catalog }) => catalog.ageMs,
  ),
  counter(
    'catalog_reads',
    'Times that the catalog was read because it may have changed',
    ({ catalog }) => catalog.reads,
  ),
  gauge(
    'pool_connections',
    'Connections of the pool for reads',
    ({ pool }) => [
      ['open', pool.open],
      ['idle', pool.idle],
    ],
    'state',
  ),
  gauge('pool_waiting', 'Reads that wait for a connection of the pool', ({ pool }) => pool.waiting),
  gauge(
    'views',
    'Views that are open or kept, by gear',
    ({ views }) => [
      ['incremental', views.incremental],
      ['rerun', views.rerun],
    ],
    'gear',
  ),
  gauge('views_idle', 'Views that are kept without a subscription', ({ sessions }) => sessions.idleViews),
  gauge('held_rows', 'Rows of tables that incremental views hold', ({ views }) => views.heldRows),
  gauge(
    'held_bytes',
    'What all views hold, by estimate: these rows, their indexes, and answers; limits.heldBytesMax bounds it',
    ({ views }) => views.heldBytes,
  ),
  gauge(
    'kept_bytes',
    'Of these, answers of re-run views, kept to tell the next as a difference',
    ({ views }) => views.keptBytes,
  ),
  gauge(
    'views_unkept',
    'Re-run views whose answers are not kept for want of memory: what changes is told whole',
    ({ views }) => views.unkept,
  ),
  gauge(
    'held_texts',
    'Texts whose place in an order of a collation they have learned from Postgres',
    ({ views }) => views.heldTexts,
  ),
  counter(
    'held_full',
    'How often views held more than limits.heldBytesMax together: answers are let go then, views that hold most run again',
    ({ events }) => events.full,
  ),
  counter('hydrations', 'Statements that hydrated incremental views', ({ events }) => events.hydrations),
  counter('hydrated_views', 'Incremental views that they hydrated', ({ events }) => events.hydratedViews),
  counter(
    'hydration_ms',
    'Time that they took, waiting for connections and for the stream included',
    ({ views }) => views.cost.hydrations.totalMs,
  ),
  counter(
    'absorbed_changes',
    'Changes that views were brought up to, each counted once for every template that reads its table',
    ({ views }) => views.cost.changes,
  ),
  counter(
    'absorb_ms',
    'Time to bring incremental views up to the transactions of the stream',
    ({ views }) => views.cost.transactions.totalMs,
  ),
  counter(
    'told_rows',
    'Rows and operations on rows that views have told, each once however many clients hold the view',
    ({ views }) => views.cost.toldRows,
  ),
  counter('told_bytes', 'Their bytes', ({ views }) => views.cost.toldBytes),
  counter('misses', 'Views that lacked a row and were hydrated anew', ({ events }) => events.misses),
  counter(
    'unsent_misses',
    'Of these, those for want of long values that are not sent without REPLICA IDENTITY FULL, by table (oid)',
    ({ events }) => events.unsent,
    'table',
  ),
  gauge(
    'views_restless',
    'Incremental views that miss faster than they can be read, and are read at the pace of re-runs',
    ({ views }) => views.restless,
  ),
  counter('restless', 'How often a view became so', ({ events }) => events.restless),
  gauge(
    'views_slowed',
    'Re-run views whose runs take so long that each is followed by a rest',
    ({ views }) => views.slowed,
  ),
  counter('slowed', 'How often the runs of a template became so slow', ({ events }) => events.slowed),
  counter(
    'handed_over',
    'Incremental views that are re-run since, because only Postgres could tell their answer: by why',
    ({ events }) => events.handedOver,
    'why',
  ),
  counter(
    'reruns',
    'Statements that re-ran views, by template',
    ({ events }) => events.reruns.map(({ template, runs }) => [template, runs]),
    'template',
  ),
  counter(
    'rerun_views',
    'Views that they re-ran, by template',
    ({ events }) => events.reruns.map(({ template, views }) => [template, views]),
    'template',
  ),
  counter(
    'rerun_ms',
    'Time that they took, by template',
    ({ events }) => events.reruns.map(({ template, ms }) => [template, ms]),
    'template',
  ),
  gauge('connections', 'Open connections of clients', ({ sessions }) => sessions.sessions),
  gauge('subscriptions', 'Open subscriptions', ({ sessions }) => sessions.subscriptions),
  gauge(
    'queue_bytes',
    'Deltas and rows held for slow, late and returning clients',
    ({ sessions }) => sessions.heldBytes,
  ),
  counter('moves', 'Moves sent', ({ sessions }) => sessions.counters.moves),
  counter('messages', 'Messages sent', ({ sessions }) => sessions.counters.messages),
  counter('sent_bytes', 'Bytes sent', ({ sessions }) => sessions.counters.bytes),
  counter('behind', 'Views that fell behind on a connection', ({ sessions }) => sessions.counters.fellBehind),
  counter('folded', 'Deltas made of several for a slow client', ({ sessions }) => sessions.counters.folded),
  counter(
    'resumed',
    'Views resumed, by what was sent',
    ({ sessions: { counters } }) => [
      ['deltas', counters.resumedByDeltas],
      ['difference', counters.resumedByDifference],
    ],
    'by',
  ),
  counter(
    'closed_slow',
    'Connections closed because they did not read',
    ({ sessions }) => sessions.counters.closedSlow,
  ),
  counter('errors', 'Errors by code: see docs/errors.md', errors, 'code'),
];

function errors({ events, refused }: Readings): readonly (readonly [string, number])[] {
  const sums = new Map(events.errors);
  for (const [code, count] of refused) sums.set(code, (sums.get(code) ?? 0) + count);
  return [...sums];
}
