import { asLsn, type Lsn } from '@sluice/core/lsn';
import { PLAN_VERSION, type TablePlan } from '@sluice/core/plan';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fetch } from '../source/source.js';
import type { Change, Relation, Transaction } from '../source/transaction.js';
import { Known, sorted } from '../testing/known.js';
import { noRun, QUIET, UNPLANNED } from '../testing/quiet-template.js';
import { tablePlanned } from '../testing/plans.js';
import { IncrementalTemplate } from './incremental-template.js';
import { TableGear, type Hydration } from './table-gear.js';
import { Publications } from './publications.js';
import { View } from './view.js';

// C6, C11, C12: what a fetched binding is brought to is told only where it stands, and it moves on at each round
// although it misses at each transaction. The truth at a position is made from the transactions at or before it.

const INT = { kind: 'int' } as const;
const ROWS = 4;
/** `SELECT id, body FROM item WHERE project = 5`. A row moves in with a value that is not sent: a miss. */
const plan: TablePlan = {
  kind: 'table',
  version: PLAN_VERSION,
  chunks: [],
  table: 1,
  columns: [
    { name: 'id', type: INT },
    { name: 'project', type: INT },
    { name: 'body', type: { kind: 'text', ordered: false } },
  ],
  where: { op: 'eq', left: { column: 1 }, right: { param: 0 }, type: INT },
  project: [0, 2],
  order: [],
  key: [0],
  limit: null,
  offset: null,
};
const relation: Relation = {
  oid: 1,
  schema: 'public',
  name: 'item',
  replicaIdentity: 'default',
  columns: plan.columns.map(({ name }) => ({
    name,
    typeOid: 25,
    typeModifier: -1,
    identity: name === 'id',
  })),
};

/** What the n-th transaction does: moves a row in or out, with its long value sent anew or not. */
interface Move {
  readonly row: number;
  readonly inside: boolean;
  readonly sent: boolean;
}

const lsnOf = (n: number): Lsn => asLsn(BigInt(10 * (n + 1)));

function transactionOf(move: Move, n: number): Transaction {
  const values = [String(move.row), move.inside ? '5' : '6', move.sent ? `body ${n}` : undefined];
  const change: Change = {
    kind: 'update',
    relation,
    identity: 'none',
    old: null,
    new: { length: 3, text: (column) => values[column] },
  };
  const none = { bulk: new Map(), messages: [], bytes: 0 };
  return { xid: 100 + n, lsn: lsnOf(n), previous: asLsn(lsnOf(n) - 5n), changes: [change], ...none };
}

/** The rows inside after the moves that count. */
function truth(moves: readonly Move[], counts: (n: number) => boolean): [string, string][] {
  const rows = Array.from({ length: ROWS }, (_, row) => ({ inside: row === 0, body: `first ${row}` }));
  moves.forEach((move, n) => {
    const row = rows[move.row];
    if (!row || !counts(n)) return;
    row.inside = move.inside;
    if (move.sent) row.body = `body ${n}`;
  });
  return rows.flatMap(({ inside, body }, row): [string, string][] => (inside ? [[String(row), body]] : []));
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** One template with one view, whose reads end when the test says so. */
class Trial {
  readonly moves: Move[] = [];
  readonly known = new Known();
  readonly template: IncrementalTemplate;
  published = 0;
  /** Which transactions snapshots see; grows. */
  readonly visible = new Set<number>();
  #answer: ((fetch: Fetch<Hydration>) => void) | null = null;

  constructor(relevantMax = 100_000) {
    let hydration: Hydration = [];
    const gear = new TableGear({
      plan,
      types: {},
      rowsPerViewMax: 100,
      hydrate: () => Promise.resolve(hydration),
    });
    const publications = new Publications((entry) => {
      this.known.take(entry);
      if (entry.kind === 'rows' || entry.kind === 'delta') this.published++;
    });
    this.template = new IncrementalTemplate({
      ...QUIET,
      publications,
      planned: tablePlanned(plan),
      gear,
      relevantMax,
      rowsPerViewMax: 100,
      fetch: async (read) => {
        const fetch = await new Promise<Fetch<Hydration>>((resolve) => (this.#answer = resolve));
        hydration = fetch.result;
        return { ...fetch, result: await read(noRun) };
      },
      now: () => ({ epoch: 'e', lsn: this.position }),
    });
    const view = new View('v', { columns: [], ordered: false }, UNPLANNED, publications);
    this.template.open(view, ['5']);
  }

  get position(): Lsn {
    return this.moves.length === 0 ? asLsn(5n) : lsnOf(this.moves.length - 1);
  }

  get reading(): boolean {
    return this.#answer !== null;
  }

  tell(move: Move): void {
    this.moves.push(move);
    const n = this.moves.length - 1;
    const transaction = transactionOf(move, n);
    const at = { epoch: 'e', lsn: transaction.lsn };
    this.template.apply(transaction, new Map([[1, { changes: transaction.changes, unknown: false }]]), at);
  }

  /** C19: not followed for so long, when it is behind; what is being read is void. */
  async shed(moves: readonly Move[]): Promise<void> {
    if (this.#answer !== null) await this.answer({ ...this.read(), chain: 1 });
    for (const one of moves) {
      if (this.template.isBehind) this.moves.push(one);
      else this.tell(one);
    }
    if (this.template.isBehind) this.template.resume(this.position);
    await turns();
  }

  /** What a snapshot taken now would have read. */
  read(): { rows: (readonly string[])[]; seen: Set<number>; chain?: number } {
    const seen = new Set(this.visible);
    return { rows: truth(this.moves, (n) => seen.has(n)).map(([id, body]) => [id, '5', body]), seen };
  }

  async answer({ rows, seen, chain = 0 }: ReturnType<Trial['read']>): Promise<void> {
    const answer = this.#answer;
    this.#answer = null;
    const xip = new Set(this.moves.flatMap((_, n) => (seen.has(n) ? [] : [BigInt(100 + n)])));
    answer?.({
      result: [rows],
      snapshot: { xmin: 100n, xmax: BigInt(100 + this.moves.length), xip },
      upper: asLsn(0n),
      chain,
      unseen: () => this.moves.map(transactionOf).filter((_, n) => !seen.has(n)),
      seen: () => [],
      end: () => undefined,
    });
    await turns();
  }

  check(): number {
    let checked = 0;
    for (let n = -1; n < this.moves.length; n++) {
      const known = this.known.at(n < 0 ? 5n : lsnOf(n));
      if (known === null) continue;
      checked++;
      expect(known).toBe(sorted(truth(this.moves, (m) => m <= n)));
    }
    return checked;
  }
}

const move = fc.record({
  row: fc.integer({ min: 0, max: ROWS - 1 }),
  inside: fc.boolean(),
  sent: fc.boolean(),
});
const round = fc.record({
  shed: fc.option(fc.array(move, { maxLength: 3 }), { nil: [] }),
  before: fc.array(move, { maxLength: 3 }),
  /** Of those that are invisible yet, which the snapshot sees. */
  visible: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
  /** Told after the snapshot was taken, before its rows are there. */
  during: fc.array(move, { maxLength: 3 }),
});

test.each([100_000, 1, 3])(
  'an incremental answer is known only at positions at which it is the answer, whatever is seen when, %i transactions kept',
  async (relevantMax) => {
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async (rounds) => {
        const trial = new Trial(relevantMax);
        await turns();
        for (const { shed, before, visible, during } of rounds) {
          if (shed.length > 0) await trial.shed(shed);
          for (const one of before) trial.tell(one);
          await turns();
          // A row's later writer was let in by its earlier one: it is not seen without it.
          const hidden = new Set<number>();
          trial.moves.forEach(({ row }, n) => {
            if (trial.visible.has(n)) return;
            if (visible[n] === true && !hidden.has(row)) trial.visible.add(n);
            else hidden.add(row);
          });
          const read = trial.read();
          for (const one of during) trial.tell(one);
          if (trial.reading) await trial.answer(read);
          checked += trial.check();
        }
      }),
      { numRuns: 400 },
    );
    expect(checked).toBeGreaterThan(500);
  },
);

test('C12: a binding that misses during every read moves on at every read', async () => {
  const trial = new Trial();
  await turns();
  for (let n = 0; n < 30; n++) {
    // Visible at once, as commits are; the next one overtakes the read, and its value is not sent.
    const seenByRead = trial.moves.length;
    for (let m = 0; m < seenByRead; m++) trial.visible.add(m);
    const read = trial.read();
    trial.tell({ row: 1 + ((n + 1) % 3), inside: true, sent: false });
    trial.tell({ row: 1 + (n % 3), inside: false, sent: false });
    expect(trial.reading).toBe(true);
    await trial.answer(read);
    trial.check();
  }
  expect(trial.published).toBe(30);
  expect(trial.template.restlessCount).toBe(1);
});
