import { asLsn, type Lsn } from '@sluice/core/lsn';
import { piecesOf } from '@sluice/core/chunks/all';
import { chunksOfBlock } from '@sluice/core/chunks/chunks-of';
import type { Block, Input } from '@sluice/core/flow/plan';
import type { Row } from '@sluice/core/flow/row';
import { answer } from '@sluice/core/flow/testing/nested-loops';
import { TextOrders } from '@sluice/core/flow/text-orders';
import type { PgText } from '@sluice/core/value';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fetch } from '../source/source.js';
import type { Change, Relation, Transaction } from '../source/transaction.js';
import { Known, sorted } from '../testing/known.js';
import { noRun, QUIET, UNPLANNED } from '../testing/quiet-template.js';
import { RERUN_PLAN } from '../testing/plans.js';
import { BlockGear } from './block-gear.js';
import type { Inability } from './gear.js';
import { IncrementalTemplate } from './incremental-template.js';
import { changesByTable } from './table-changes.js';
import { Publications } from './publications.js';
import { areKeysSure } from './sure-keys.js';
import { View } from './view.js';

/*
 * C6, C8, C12 for queries of several tables: what was read at a snapshot is brought to what the stream says, and known
 * only at positions at which it is the answer. The truth at a position is what nested loops make of the transactions at
 * or before it. Rows move between parents with a long value that is sent or not; tables are emptied; too much changes.
 */

const INT = { kind: 'int' } as const;
const TEXT = { kind: 'text', ordered: true } as const;
const PROJECT = 1;
const ITEM = 2;
const ROWS = 3;
const NAMES = { [PROJECT]: ['id', 'team', 'name'], [ITEM]: ['id', 'project', 'body'] };

const relationOf = (table: 1 | 2): Relation => ({
  oid: table,
  schema: 'public',
  name: `t${table}`,
  replicaIdentity: 'default',
  columns: NAMES[table].map((name) => ({ name, typeOid: 25, typeModifier: -1, identity: name === 'id' })),
});
const RELATIONS = { [PROJECT]: relationOf(PROJECT), [ITEM]: relationOf(ITEM) };

// ------------------------------------------------------------ queries

const source = (table: 1 | 2): Input['of'] => ({
  kind: 'table',
  table,
  columns: NAMES[table].map((name, at) => ({ name, type: at === 2 ? TEXT : INT })),
  key: [0],
});
const project: Input = {
  of: source(PROJECT),
  join: 'inner',
  on: [],
  offset: 0,
  width: 3,
  demand: { parent: null, pairs: [{ column: 1, parentColumn: 0, type: INT }] },
};
const items = (join: Input['join']): Input => ({
  of: source(ITEM),
  join,
  on: [],
  offset: 3,
  width: join === 'exists' ? 1 : 3,
  demand: { parent: 0, pairs: [{ column: 1, parentColumn: 0, type: INT }] },
});
const block = (second: Input, columns: readonly number[], more: Partial<Block> = {}): Block => ({
  inputs: [project, second],
  where: [],
  group: null,
  project: columns.map((column) => ({ op: 'column', column })),
  distinct: false,
  order: [],
  limit: null,
  offset: null,
  types: columns.map(() => TEXT),
  ...more,
});
/** `LATERAL (SELECT id, body FROM item WHERE project = project.id ORDER BY id LIMIT $2)`. */
const lateral: Input = {
  of: {
    kind: 'block',
    block: {
      ...block(items('inner'), [0, 2], { order: [{ column: 0, descending: false, nullsFirst: false }] }),
      inputs: [
        {
          ...items('inner'),
          offset: 0,
          demand: { parent: null, pairs: [{ column: 1, parentColumn: 0, type: INT }] },
        },
      ],
      limit: 1,
      types: [INT, TEXT],
    },
  },
  join: 'left',
  on: [],
  offset: 3,
  width: 2,
  demand: {
    parent: 0,
    pairs: [
      { column: 0, parentColumn: 0, type: INT },
      { column: 1, parentColumn: 1, type: INT, ofParams: true },
    ],
  },
};
const QUERIES: readonly (readonly [string, Block])[] = [
  ['an inner join', block(items('inner'), [2, 3, 5])],
  ['a left join', block(items('left'), [0, 2, 5])],
  ['EXISTS', block(items('exists'), [0, 2], { where: [{ op: 'column', column: 3 }] })],
  [
    'NOT EXISTS',
    block(items('exists'), [0, 2], { where: [{ op: 'not', arg: { op: 'column', column: 3 } }] }),
  ],
  ['a subquery of its own', block(lateral, [0, 2, 3, 4])],
  ['a scalar subquery, an error where it has two rows', block(items('scalar'), [0, 5])],
  [
    'groups',
    block(items('left'), [0, 1], {
      group: {
        keys: [{ op: 'column', column: 2 }],
        types: [TEXT],
        aggregates: [
          {
            fn: 'count',
            args: [{ op: 'column', column: 3 }],
            types: [INT],
            distinct: false,
            order: [],
            filter: null,
          },
        ],
        // Of nothing that is to be counted there is no group.
        having: [
          {
            op: 'call',
            fn: 'int4ge',
            args: [
              { op: 'column', column: 1 },
              { op: 'param', param: 1 },
            ],
          },
        ],
      },
    }),
  ],
];

// ------------------------------------------------------------ histories

/** A row is put below a parent, or goes; its long value is written or stays as it is. */
interface Move {
  readonly table: 1 | 2;
  readonly row: number;
  readonly parent: number | null;
  readonly sent: boolean;
}

interface Act {
  readonly moves: readonly Move[];
  /** That it is told as too much, empties a table before all else, or is not told: the stream begins anew behind it. */
  readonly kind: 'changes' | 'bulk' | 'truncate' | 'lost';
}

type Tables = Map<string, readonly PgText[]>[];

const lsnOf = (n: number): Lsn => asLsn(BigInt(10 * (n + 1)));
const beginning = (): Tables => [
  new Map(),
  new Map([['0', ['0', '5', 'first']]]),
  new Map([['0', ['0', '0', 'first']]]),
];

/** Makes the n-th transaction in the tables. @returns what the stream tells */
function make(tables: Tables, { moves, kind }: Act, n: number): readonly Change[] {
  const changes: Change[] = [];
  const [first] = moves;
  if (kind === 'truncate' && first) {
    tables[first.table]?.clear();
    changes.push({ kind: 'truncate', relation: RELATIONS[first.table] });
  }
  for (const { table, row, parent, sent } of moves) {
    const rows = tables[table];
    const key = String(row);
    const old = rows?.get(key);
    const relation = RELATIONS[table];
    if (rows === undefined || (old === undefined && parent === null)) continue;
    if (parent === null) {
      rows.delete(key);
      changes.push({ kind: 'delete', relation, identity: 'key', old: tuple([key, null, null]) });
      continue;
    }
    const text = sent || old === undefined ? `text ${n}` : (old[2] ?? null);
    rows.set(key, [key, String(parent), text]);
    const values = [key, String(parent), sent || old === undefined ? text : undefined];
    changes.push(
      old === undefined
        ? { kind: 'insert', relation, new: tuple(values) }
        : { kind: 'update', relation, identity: 'none', old: null, new: tuple(values) },
    );
  }
  return changes;
}

function tuple(values: readonly (PgText | undefined)[]): Extract<Change, { kind: 'insert' }>['new'] {
  return { length: values.length, text: (column) => values[column] };
}

function transactionOf(act: Act, changes: readonly Change[], n: number): Transaction {
  const isBulk = act.kind === 'bulk';
  const tables = new Set(act.moves.map(({ table }) => table));
  return {
    xid: 100 + n,
    lsn: lsnOf(n),
    previous: asLsn(lsnOf(n) - 5n),
    changes: isBulk ? [] : changes,
    bulk: new Map(isBulk ? Array.from(tables, (table) => [table, RELATIONS[table]]) : []),
    messages: [],
    bytes: 0,
  };
}

// ------------------------------------------------------------ one template with one view

const turns = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};
const BINDING = ['5', '1'];

class Trial {
  readonly known = new Known();
  readonly template: IncrementalTemplate;
  /** Which transactions snapshots see; grows. */
  readonly visible = new Set<number>();
  readonly handedOver: Inability[] = [];
  /** How often the stream began anew. */
  chain = 0;
  /** Whether the stream has passed what was read last. */
  passed: Promise<void> = Promise.resolve();
  readonly #plan: Block;
  readonly #acts: Act[] = [];
  readonly #transactions: Transaction[] = [];
  readonly #tables = beginning();
  #answer: ((fetch: Fetch<Tables>) => void) | null = null;

  constructor(plan: Block, relevantMax: number) {
    this.#plan = plan;
    let tables: Tables = [];
    const gear = new BlockGear({
      block: plan,
      pieces: piecesOf(chunksOfBlock(plan)),
      orders: new TextOrders([], { textsMax: 0 }),
      telling: {
        visible: plan.project.length,
        ordered: false,
        keyColumns: [0],
        sure: areKeysSure(plan, [0]),
      },
      fill: (_, engine) => {
        for (let needs = engine.needs(); needs.length > 0; needs = engine.needs())
          for (const need of needs) engine.fill(need, rowsOf(need, tables));
        return Promise.resolve();
      },
    });
    const publications = new Publications((entry) => this.known.take(entry));
    this.template = new IncrementalTemplate({
      ...QUIET,
      publications,
      planned: { ...RERUN_PLAN, reads: [PROJECT, ITEM] },
      gear,
      relevantMax,
      rowsPerViewMax: 100,
      fetch: async (read) => {
        const fetch = await new Promise<Fetch<Tables>>((resolve) => (this.#answer = resolve));
        tables = fetch.result;
        return { ...fetch, result: await read(noRun) };
      },
      handOver: (one, why) => {
        this.template.close(one);
        this.handedOver.push(why);
      },
      passed: () => this.passed,
      chain: () => this.chain,
      now: () => ({ epoch: 'e', lsn: this.#position }),
    });
    const view = new View('v', { columns: [], ordered: false }, UNPLANNED, publications);
    this.template.open(view, BINDING);
  }

  get #position(): Lsn {
    return this.#acts.length === 0 ? asLsn(5n) : lsnOf(this.#acts.length - 1);
  }

  get reading(): boolean {
    return this.#answer !== null;
  }

  tell(act: Act): void {
    const through = this.#position;
    const n = this.#acts.push(act) - 1;
    const transaction = transactionOf(act, make(this.#tables, act, n), n);
    this.#transactions.push(transaction);
    if (act.kind === 'lost') {
      for (let seen = 0; seen <= n; seen++) this.visible.add(seen);
      this.chain++;
      this.template.restart(through, transaction.lsn);
      return;
    }
    const changes = changesByTable(
      transaction,
      (oid) => [oid],
      () => true,
    );
    if (changes.size > 0) this.template.apply(transaction, changes, { epoch: 'e', lsn: transaction.lsn });
  }

  /** A row's later writer was let in by its earlier one: it is not seen without it. */
  commit(among: readonly boolean[]): void {
    const hidden = new Set<string>();
    for (const [n, act] of this.#acts.entries()) {
      const touched = touchedBy(act);
      if (this.visible.has(n)) continue;
      if (among[n] === true && !touched.some((row) => hidden.has(row))) this.visible.add(n);
      else for (const row of touched) hidden.add(row);
    }
  }

  /** What a snapshot taken now would have read. */
  read(): { tables: Tables; seen: Set<number>; chain: number } {
    const seen = new Set(this.visible);
    return { tables: this.#truth((n) => seen.has(n)), seen, chain: this.chain };
  }

  async answer({ tables, seen, chain }: ReturnType<Trial['read']>): Promise<void> {
    const answered = this.#answer;
    this.#answer = null;
    const xip = new Set(this.#acts.flatMap((_, n) => (seen.has(n) ? [] : [BigInt(100 + n)])));
    answered?.({
      result: tables,
      snapshot: { xmin: 100n, xmax: BigInt(100 + this.#acts.length), xip },
      upper: asLsn(0n),
      chain,
      unseen: () => this.#transactions.filter((_, n) => !seen.has(n)),
      seen: () => [],
      end: () => undefined,
    });
    await turns();
  }

  /** @returns at how many positions something was known */
  check(): number {
    // Where Postgres raises an error because a row has two beside it, nothing may be known.
    const inputs = this.#plan.inputs.map((one) => (one.join === 'scalar' ? items('left') : one));
    let checked = 0;
    for (let n = -1; n < this.#acts.length; n++) {
      const known = this.known.at(n < 0 ? 5n : lsnOf(n));
      if (known === null) continue;
      checked++;
      const tables = this.#truth((m) => m <= n);
      expect(known).toBe(sorted(answer({ ...this.#plan, inputs }, tables, BINDING)));
    }
    return checked;
  }

  #truth(counts: (n: number) => boolean): Tables {
    const tables = beginning();
    for (const [n, act] of this.#acts.entries()) if (counts(n)) make(tables, act, n);
    return tables;
  }
}

function touchedBy({ moves, kind }: Act): readonly string[] {
  const [first] = moves;
  const own = moves.map(({ table, row }) => `${table}/${row}`);
  if (kind !== 'truncate' || first === undefined) return own;
  return [...own, ...Array.from({ length: ROWS }, (_, row) => `${first.table}/${row}`)];
}

type Need = Parameters<ConstructorParameters<typeof BlockGear>[0]['fill']>[1] extends {
  needs(): readonly (infer N)[];
}
  ? N
  : never;

function rowsOf({ engine, input: at, keys }: Need, tables: Tables): Map<string, Row[]> {
  const { input } = engine.block.inputs[at] ?? {};
  if (input?.of.kind !== 'table') throw new Error('only tables are fetched');
  const all = [...(tables[input.of.table] ?? [])];
  const { pairs } = input.demand;
  return new Map(
    Array.from(keys, ([key, given]) => [
      key,
      all
        .filter(([, row]) => pairs.every(({ column }, pair) => row[column] === given[pair]))
        .map(([id, values]) => ({ key: id, values })),
    ]),
  );
}

// ------------------------------------------------------------ the property

const move: fc.Arbitrary<Move> = fc.record({
  table: fc.constantFrom<(1 | 2)[]>(PROJECT, ITEM, ITEM),
  row: fc.integer({ min: 0, max: ROWS - 1 }),
  /** A team is 5 or 6, a project one of the rows. */
  parent: fc.option(fc.integer({ min: 0, max: ROWS - 1 }), { freq: 6 }),
  sent: fc.boolean(),
});
const act: fc.Arbitrary<Act> = fc
  .record({
    moves: fc.array(move, { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom(
      'changes',
      'changes',
      'changes',
      'changes',
      'changes',
      'changes',
      'changes',
      'bulk',
      'truncate',
      'lost',
    ),
  })
  .map(({ moves, kind }) => ({
    kind,
    moves: moves.map((one) =>
      one.table === PROJECT && one.parent !== null ? { ...one, parent: 5 + (one.parent % 2) } : one,
    ),
  }));
const round = fc.record({
  before: fc.array(act, { maxLength: 3 }),
  /** Of those that are invisible yet, which the snapshot sees. */
  visible: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
  /** Told after the snapshot was taken, before its rows are there, or before what it saw has passed. */
  during: fc.array(act, { maxLength: 3 }),
  late: fc.boolean(),
});

test.each(QUERIES.flatMap(([name, plan]) => [100_000, 2].map((max) => [name, max, plan] as const)))(
  '%s is known only at positions at which it is the answer, %i transactions kept',
  async (_, relevantMax, plan) => {
    const counts = { checked: 0, handedOver: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async (rounds) => {
        const trial = new Trial(plan, relevantMax);
        await turns();
        for (const { before, visible, during, late } of rounds) {
          for (const one of before) trial.tell(one);
          await turns();
          trial.commit(visible);
          const read = trial.read();
          let pass = (): void => undefined;
          if (late && trial.reading) {
            trial.passed = new Promise((resolve) => (pass = resolve));
            await trial.answer(read);
          }
          for (const one of during) trial.tell(one);
          pass();
          await turns();
          trial.passed = Promise.resolve();
          if (!late && trial.reading) await trial.answer(read);
          counts.checked += trial.check();
        }
        counts.handedOver += trial.handedOver.length;
        expect(trial.handedOver.filter((why) => why !== 'not_reproduced')).toEqual([]);
      }),
      { numRuns: 100 },
    );
    expect(counts.checked).toBeGreaterThan(100);
    expect(counts.handedOver > 0).toBe(plan.inputs[1]?.join === 'scalar');
  },
);
