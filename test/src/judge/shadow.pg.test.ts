import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { answerOf } from './answer.js';
import { Court } from './court.js';
import type { SeenMove, SeenView } from './judge.js';
import { bind, type Bound } from './query.js';
import { ask, PINNED } from './shadow.js';
import { lsnOf } from './wal-stream.js';
import { Writers } from './writers.js';

/*
 * The judge is judged first. Commits are serialised while transaction bodies overlap, so the primary itself can be
 * asked what holds between two commits: the shadow must agree everywhere. Beside the honest witness sit others who
 * report the same with one fault each, of a kind that a broken server or client would show: each must be found.
 */
const SECONDS = 8;
const SECONDS_MAX = 40;
const LOCK_NOT_AVAILABLE = '55P03';

type Fault = (now: SeenMove, before: SeenMove) => SeenMove;

const FAULTS: Readonly<Record<string, Fault>> = {
  'drops a delta': (now, before) => change(now, 'accounts.high', () => view(before, 'accounts.high')),
  'drops a delta of a re-run': (now, before) =>
    change(now, 'issue.counts', () => view(before, 'issue.counts')),
  'swaps two rows': (now) =>
    change(now, 'issue.board', (seen) =>
      withRows(seen, (rows) => [...rows.slice(1, 2), ...rows.slice(0, 1), ...rows.slice(2)]),
    ),
  'shows a row too many': (now) =>
    change(now, 'keyless.groups', (seen) => withRows(seen, (rows) => [...rows, ...rows.slice(0, 1)])),
  'shows a row too few': (now) =>
    change(now, 'event.high', (seen) => withRows(seen, (rows) => rows.slice(1))),
  'prints a value differently': (now) =>
    change(now, 'accounts.total', (seen) => withRows(seen, (rows) => rows.map(([sum]) => [`${sum}0`]))),
  'shows rows where Postgres fails': (now) =>
    change(now, 'issue.ratio', (seen) => ({ ...seen, answer: answerOf([], false) })),
  'is one move ahead of its rows': (now, before) => ({
    ...now,
    views: before.views.map((seen) => ({ ...seen, lsn: now.lsn })),
  }),
};

test('the shadow agrees with the primary at every position, and finds every planted fault', async () => {
  const court = await Court.open({ seed: 'shadow' });
  try {
    await hear(court);
    const { counts, wrongs, wrongBy } = court.judge;
    expect(wrongs.filter(({ client }) => client === 'honest')).toEqual([]);
    expect(wrongBy['honest'] ?? 0).toBe(0);
    expect(counts.unjudged).toBe(0);
    expect(counts.moves).toBeGreaterThan(50);
    expect(counts.errors).toBeGreaterThan(0);
    expect([...court.judge.compared].sort()).toEqual(court.corpus.queries.map(({ id }) => id).sort());
    const unfound = [...Object.keys(FAULTS), 'goes back'].filter((fault) => (wrongBy[fault] ?? 0) === 0);
    expect(unfound).toEqual([]);
  } finally {
    await court.close();
  }
});

async function hear(court: Court): Promise<void> {
  const watched = bindings(court);
  const witness = new pg.Client({
    connectionString: court.database.adminUrl,
    types: { getTypeParser: () => String },
  });
  await witness.connect();
  // A TRUNCATE that waits for its turn to commit locks readers out: such a view is left out of that move.
  await witness.query(`${PINNED}; SET lock_timeout = '20ms'`);
  let turn = Promise.resolve();
  let before: SeenMove | null = null;
  const failures: string[] = [];
  const writers = new Writers({
    url: court.database.adminUrl,
    random: court.random.fork('writers'),
    steps: court.corpus.steps,
    sessions: 4,
    pauseMsMax: 5,
    failed: (message) => failures.push(message),
    commit: (commit) => {
      const mine = turn.then(async () => {
        await commit();
        const now = await testify(court, witness, watched);
        report(court, now, before ?? now);
        before = now;
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
  });
  for (const client of ['honest', 'goes back', ...Object.keys(FAULTS)]) court.judge.join(client);
  court.judge.writing = true;
  writers.start();
  // Long enough that Postgres raised an error somewhere: one of the faults is about that.
  for (
    let second = 0;
    second < SECONDS || (court.judge.counts.errors === 0 && second < SECONDS_MAX);
    second++
  )
    await sleep(1000);
  await writers.stop();
  await witness.end();
  expect(failures).toEqual([]);
  expect(await court.verdict()).toEqual([]);
}

function report(court: Court, now: SeenMove, before: SeenMove): void {
  court.judge.moved('honest', now);
  court.judge.moved('goes back', { ...now, views: [] });
  court.judge.moved('goes back', { ...before, views: [] });
  for (const [client, fault] of Object.entries(FAULTS)) court.judge.moved(client, fault(now, before));
}

function bindings(court: Court): readonly Bound[] {
  return court.corpus.queries.map((query) => bind(query, query.params?.(court.random.fork(query.id)) ?? []));
}

async function testify(court: Court, witness: pg.Client, watched: readonly Bound[]): Promise<SeenMove> {
  const seen: Omit<SeenView, 'lsn'>[] = [];
  for (const bound of watched) {
    const answer = await ask(witness, bound);
    if (answer.kind === 'error' && answer.detail === LOCK_NOT_AVAILABLE) continue;
    seen.push({ bound, answer, behind: false, again: false, gear: bound.query.gear });
  }
  const lsn = lsnOf(await court.end());
  return { epoch: '1.1', empty: false, lsn, views: seen.map((each) => ({ ...each, lsn })) };
}

function view(move: SeenMove, id: string): SeenView | undefined {
  return move.views.find(({ bound }) => bound.query.id === id);
}

function change(move: SeenMove, id: string, by: (seen: SeenView) => SeenView | undefined): SeenMove {
  return {
    ...move,
    views: move.views.map((seen) => {
      const changed = seen.bound.query.id === id ? by(seen) : seen;
      return { ...(changed ?? seen), lsn: move.lsn };
    }),
  };
}

type Rows = Extract<SeenView['answer'], { kind: 'rows' }>['rows'];

function withRows(seen: SeenView, by: (rows: Rows) => Rows): SeenView {
  if (seen.answer.kind !== 'rows') return seen;
  return { ...seen, answer: answerOf(by(seen.answer.rows), seen.bound.query.ordered) };
}
