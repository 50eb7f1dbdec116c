import { must } from '@sluice/core/assert';
import { piecesOf } from '@sluice/core/chunks/all';
import { chunksOfBlock } from '@sluice/core/chunks/chunks-of';
import { asLsn } from '@sluice/core/lsn';
import type { FlowEngine } from '@sluice/core/flow/flow-engine';
import type { Block } from '@sluice/core/flow/plan';
import { orderFunction, TextOrders } from '@sluice/core/flow/text-orders';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change, Relation } from '../source/transaction.js';
import { BlockGear } from './block-gear.js';
import type { Ask, Held, Reading, Step } from './gear.js';
import type { TableChanges } from './table-changes.js';

// A gear lets go of texts that nobody needs while views are open, and others are being read.

const COLLATION = '"pg_catalog"."de-x-icu"';
const TEXT = { kind: 'text', ordered: true } as const;
const TABLE = 1;

/** `SELECT body, <its token> FROM item WHERE kind = $1 ORDER BY body COLLATE …`. */
const BLOCK: Block = {
  inputs: [
    {
      of: {
        kind: 'table',
        table: TABLE,
        columns: [
          { name: 'kind', type: TEXT },
          { name: 'body', type: TEXT },
        ],
        key: [1],
      },
      join: 'inner',
      on: [],
      offset: 0,
      width: 2,
      demand: { parent: null, pairs: [{ column: 0, parentColumn: 0, type: TEXT }] },
    },
  ],
  where: [],
  group: null,
  project: [
    { op: 'column', column: 1 },
    { op: 'call', fn: orderFunction(COLLATION), args: [{ op: 'column', column: 1 }] },
  ],
  distinct: false,
  order: [{ column: 1, descending: false, nullsFirst: false }],
  limit: null,
  offset: null,
  types: [TEXT, TEXT],
};

class Trial {
  readonly gear: BlockGear;
  rows: readonly (readonly [kind: string, body: string])[] = [];
  /** Waited for before a read ends. */
  paused: Promise<void> = Promise.resolve();

  constructor(spareTexts: number) {
    this.gear = new BlockGear({
      block: BLOCK,
      pieces: piecesOf(chunksOfBlock(BLOCK)),
      orders: new TextOrders([COLLATION], { textsMax: 1000, spareTexts }),
      telling: { visible: 1, ordered: true, keyColumns: null, sure: false },
      fill: (_, engine, orders) => this.#fill(engine, orders),
    });
  }

  async read(kind: string): Promise<() => Held | null> {
    const ask: Ask = { binding: [kind], extra: 0, waiting: null };
    const reading = await this.gear.fetch(() => Promise.reject(new Error('not asked')), [ask]);
    return () => reading.catchUp([ask], []).members.get(ask) ?? null;
  }

  async #fill(engine: FlowEngine, orders: TextOrders): Promise<void> {
    for (let any = true; any;) {
      const needs = engine.needs();
      for (const need of needs) engine.fill(need, this.#rowsOf(need.keys.keys()));
      any = needs.length > 0;
      for (let asked = orders.questions(); asked.length > 0; asked = orders.questions()) {
        any = true;
        for (const { texts } of asked) orders.answer(COLLATION, texts.toSorted(backwards));
      }
    }
    await this.paused;
  }

  #rowsOf(keys: Iterable<string>): Map<string, { key: string; values: readonly string[] }[]> {
    return new Map(
      Array.from(keys, (key) => {
        const own = this.rows.filter(([kind]) => key.includes(kind));
        return [key, own.map((values) => ({ key: values[1], values }))];
      }),
    );
  }
}

/** An order that bytes do not have. */
function backwards(one: string, other: string): number {
  return one < other ? 1 : -1;
}

const shownOf = (held: Held | null): unknown => held?.shown().map(({ json }) => JSON.parse(json)[0]);

test('what is being read when texts are let go is read once more, and what is held goes on', async () => {
  const trial = new Trial(0);
  trial.rows = [
    ['one', 'b'],
    ['one', 'd'],
    ['two', 'a'],
    ['two', 'c'],
  ];
  const first = (await trial.read('one'))();
  expect([...trial.gear.trim(true)]).toEqual([]);
  expect([trial.gear.heldTextCount, shownOf(first)]).toEqual([2, ['d', 'b']]);
  first?.leave();
  expect(trial.gear.heldRowCount).toBe(0); // it was followed by the engine that is used now
  const one = (await trial.read('one'))();
  expect(shownOf(one)).toEqual(['d', 'b']);

  let go = (): void => undefined;
  trial.paused = new Promise((resolve) => (go = resolve));
  const reading = trial.read('two');
  expect(trial.gear.heldTextCount).toBe(4);
  expect([...trial.gear.trim(false)]).toEqual([]);
  expect(trial.gear.heldTextCount).toBe(4); // not while others read, unless it must be
  expect([...trial.gear.trim(true)]).toEqual([]);
  expect([trial.gear.heldTextCount, shownOf(one)]).toEqual([2, ['d', 'b']]);
  go();
  const late = await reading;
  expect(late).not.toThrow();
  expect(late()).toBeNull();
  const two = (await trial.read('two'))();
  expect([shownOf(one), shownOf(two)]).toEqual([
    ['d', 'b'],
    ['c', 'a'],
  ]);

  // A view that goes on is followed as before, and leaves the engine that it is in now.
  const all: TableChanges = { unknown: true, changes: [] };
  expect(trial.gear.apply(new Map([[TABLE, all]])).missed).toEqual(new Set([one, two]));
  expect(trial.gear.heldRowCount).toBe(0);
});

test('texts are let go once they are more than twice those in use', async () => {
  const trial = new Trial(3);
  trial.rows = ['a', 'b', 'c', 'd'].map((body) => ['one', body]);
  const first = (await trial.read('one'))();
  trial.gear.trim(false);
  expect(trial.gear.heldTextCount).toBe(4);
  first?.leave();
  // As many as were in use and three may be beside those.
  for (const [bodies, left] of [
    ['efghijk', 11],
    ['lmnopqrs', 8],
  ] as const) {
    trial.rows = [...bodies].map((body) => ['one', body]);
    const held = (await trial.read('one'))();
    const { heldBytes } = trial.gear;
    trial.gear.trim(false);
    expect([trial.gear.heldTextCount, shownOf(held)]).toEqual([left, [...bodies].toReversed()]);
    expect(trial.gear.heldBytes < heldBytes).toBe(left === bodies.length);
    held?.leave();
  }
});

// ------------------------------------------------------------ whatever happens in whatever order

const RELATION: Relation = {
  oid: TABLE,
  schema: 'public',
  name: 'item',
  replicaIdentity: 'default',
  columns: ['kind', 'body'].map((name) => ({
    name,
    typeOid: 25,
    typeModifier: -1,
    identity: name === 'body',
  })),
};
const KINDS = ['one', 'two', 'three'];

interface Followed extends Ask {
  held: Held | null;
  waiting: Held | null;
}

/** Views of all kinds over rows that come and go, with readings that end later than they begin. */
class History extends Trial {
  readonly views: readonly Followed[] = KINDS.map((kind) => ({
    binding: [kind],
    extra: 0,
    held: null,
    waiting: null,
  }));
  #reading: { readonly of: Promise<Reading<Followed>>; readonly steps: Step[] } | null = null;
  #written = 0;

  /** A row of each body comes where there is none, and goes where there is one. */
  write(rows: readonly (readonly [kind: string, body: string])[]): void {
    const changes = rows.map(([kind, body]): Change => {
      const there = this.rows.find((row) => row[1] === body);
      this.rows = there ? this.rows.filter((row) => row !== there) : [...this.rows, [kind, body]];
      return there
        ? { kind: 'delete', relation: RELATION, identity: 'key', old: tuple([null, body]) }
        : { kind: 'insert', relation: RELATION, new: tuple([kind, body]) };
    });
    const n = ++this.#written;
    const lsn = asLsn(BigInt(10 * n));
    const byTable = new Map([[TABLE, { changes, unknown: false }]]);
    this.#reading?.steps.push({ transaction: { xid: n, lsn, previous: asLsn(lsn - 5n) }, changes: byTable });
    this.#lose(this.gear.apply(byTable).missed);
  }

  trim(any: boolean): void {
    this.#lose(this.gear.trim(any));
  }

  begin(): void {
    const pending = this.views.filter(({ held }) => held === null);
    if (this.#reading !== null || pending.length === 0) return;
    const of = this.gear.fetch(() => Promise.reject(new Error('not asked')), pending);
    this.#reading = { of, steps: [] };
  }

  async end(): Promise<void> {
    const reading = this.#reading;
    this.#reading = null;
    if (reading === null) return;
    const asks = this.views.filter(({ held }) => held === null);
    const { members, unable } = (await reading.of).catchUp(asks, reading.steps);
    expect(unable.size).toBe(0);
    for (const [view, held] of members) Object.assign(view, { held, waiting: null });
  }

  /** What is held is what it should be, in its order. */
  check(): void {
    for (const { binding, held } of this.views) {
      const own = this.rows.flatMap(([kind, body]) => (kind === binding[0] ? [body] : []));
      if (held !== null) expect(shownOf(held)).toEqual(own.toSorted(backwards));
    }
  }

  #lose(missed: ReadonlySet<Held>): void {
    for (const lost of missed) {
      const view = must(
        this.views.find(({ held }) => held === lost),
        'a view that was held',
      );
      Object.assign(view, { held: null, waiting: lost });
    }
  }
}

function tuple(values: readonly (string | null)[]): Extract<Change, { kind: 'insert' }>['new'] {
  return { length: values.length, text: (column) => values[column] };
}

test('C16: whatever is written, read and let go in whatever order, what is held is in its order', async () => {
  const rows = fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.stringMatching(/^[a-m]$/)), { maxLength: 4 });
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), rows }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('begin' as const, 'end' as const, 'trim' as const, 'trim any' as const),
      }),
    },
  );
  let [trims, ends] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 60, size: 'max' }), async (acts) => {
      const history = new History(2);
      for (const one of acts) {
        const before = history.gear.heldTextCount;
        if (one.kind === 'write') history.write(one.rows);
        else if (one.kind === 'begin') history.begin();
        else if (one.kind === 'end') await history.end();
        else history.trim(one.kind === 'trim any');
        if (history.gear.heldTextCount < before) trims++;
        history.check();
      }
      // A reading may be void, or leave somebody waiting: not for ever.
      for (let round = 0; round < 5; round++) {
        await history.end();
        history.begin();
      }
      await history.end();
      history.check();
      ends += history.views.filter(({ held }) => held !== null).length / KINDS.length;
    }),
    { numRuns: 400 },
  );
  expect(ends).toBe(400);
  expect(trims).toBeGreaterThan(100);
});
