import type { RowEvent } from '@sluice/core/engine/table-engine';
import { whyNotReproduced } from '@sluice/core/expression/missing';
import { ALL_PIECES, piecesOf } from '@sluice/core/chunks/all';
import { withFunctions } from '@sluice/core/chunks/chunk';
import { chunksOfBlock } from '@sluice/core/chunks/chunks-of';
import type { Expression } from '@sluice/core/expression';
import type { Need } from '@sluice/core/flow/maintained';
import type { FlowEffects } from '@sluice/core/flow/flow-engine';
import { MergingEngine } from '@sluice/core/flow/merging-engine';
import type { FlowMember } from '@sluice/core/flow/member';
import type { Block, DemandPair, Source } from '@sluice/core/flow/plan';
import type { Functions } from '@sluice/core/flow/compile';
import { collationsOf, TextOrders } from '@sluice/core/flow/text-orders';
import { placeTexts } from '@sluice/server/planner/blocks/order-sql';
import { equality, type Row } from '@sluice/core/flow/row';
import type { PgText } from '@sluice/core/value';
import { analyse } from '@sluice/server/analysis/analyse';
import { NotExpressible } from '@sluice/server/analysis/expression-reasons';
import { NotABlock } from '@sluice/server/planner/blocks/reasons';
import { NotIncremental, RERUN_REASONS } from '@sluice/server/planner/reasons';
import { tallied } from '@sluice/server/planner/blocks/tallied';
import { toBlock, type BlockPlan } from '@sluice/server/planner/blocks/to-block';
import { hash, type Events } from './stream.js';
import { countedRows, imagesOf, readTable, talliesOf, type ReadTable } from './tallied-sources.js';
import type { Contents, World } from './world.js';

/** @returns the reason in words when it is not planned as blocks */
export async function planOf(
  world: World,
  sql: string,
  types: readonly string[],
): Promise<BlockPlan | string> {
  const analysis = await analyse(world.pool, { sql, paramTypes: types, schemas: [world.schema] });
  if (analysis.kind !== 'analysed') return `${RERUN_REASONS.not_analysed} (${analysis.reason})`;
  try {
    const plan = toBlock(
      analysis.query,
      analysis.facts,
      (oid) => {
        const table = world.table(oid);
        if (table?.key.length === 0) throw new NotIncremental('no_key', table.name);
        return {
          key: table?.key ?? [],
          column: (attnum) => ({
            name: table?.columns.find((column) => column.attnum === attnum)?.name ?? '?',
            type: { kind: 'opaque' },
          }),
        };
      },
      { textOrders: true },
    );
    const why = notReproduced(plan.block, ordersOf(plan).functions);
    if (why !== null) return new NotABlock('not_reproduced', why).reason;
    return { ...plan, block: tallied(plan.block, (oid) => world.table(oid)?.identityFull === true) };
  } catch (error) {
    if (error instanceof NotABlock || error instanceof NotExpressible || error instanceof NotIncremental)
      return error.reason;
    throw error;
  }
}

const SET_OPERATIONS: readonly unknown[] = ['union', 'intersect', 'except'];

/** Why an expression of a plan is none that the engine can evaluate. */
function notReproduced(node: unknown, also: Functions): string | null {
  if (typeof node !== 'object' || node === null) return null;
  if ('op' in node && !SET_OPERATIONS.includes(node.op)) return whyNotReproduced(node as Expression, also);
  for (const part of Object.values(node)) {
    const why = notReproduced(part, also);
    if (why !== null) return why;
  }
  return null;
}

/** After so many transactions a binding leaves, and comes back. */
const LEAVES_EVERY = 7;

/** So many times it is taken over from another engine. */
const ABSORBED_EVERY = 5;

/** So many times what is missing of those that wait is read before a transaction, and learnt after it. */
const OVERTAKEN_EVERY = 3;

/** Of each collation. */
const TEXTS_MAX = 10_000;

function ordersOf({ block }: BlockPlan): TextOrders {
  return new TextOrders(collationsOf(block), { textsMax: TEXTS_MAX });
}

/** What the engine holds of one binding. */
export type Held = readonly (readonly PgText[])[] | 'missed';

/** A query whose answers for several bindings one engine maintains from the events of the stream. */
export class FollowedQuery {
  readonly plan: BlockPlan;
  readonly #bindings: readonly (readonly PgText[])[];
  readonly #tables: readonly ReadTable[];
  /** Tables that are read without holding their rows: by source as it stands in the plan. */
  readonly #tallies: ReadonlyMap<Source, ReadTable>;
  readonly #world: World;
  readonly #orders: TextOrders;
  readonly #engine: MergingEngine;
  /** What a client holds who was sent every change. */
  readonly #sent = new Map<FlowMember, Map<string, readonly PgText[]>>();
  /** What is missing, on its way. */
  #missing: MergingEngine | null = null;
  #step = 0;

  constructor(world: World, plan: BlockPlan, bindings: readonly (readonly PgText[])[]) {
    this.plan = plan;
    this.#bindings = bindings.map((params) =>
      plan.params.map((one) => (one.kind === 'param' ? (params[one.index] ?? null) : one.value)),
    );
    this.#tables = [...sourcesOf(plan.block)].flatMap(([oid, names]) => readTable(world, oid, names) ?? []);
    this.#tallies = talliesOf(world, plan.block);
    this.#world = world;
    this.#orders = ordersOf(plan);
    this.#engine = this.#made();
  }

  /** Of no more than the plan names. */
  #made(): MergingEngine {
    const pieces = piecesOf(chunksOfBlock(this.plan.block));
    return new MergingEngine(this.plan.block, withFunctions(pieces, this.#orders.functions));
  }

  /** Begins, or begins again what has missed. */
  async load(now: Contents): Promise<void> {
    if (!(await this.#complete(now))) return;
    for (const member of this.#engine.members()) if (!member.started) this.#engine.remove(member);
    for (const [at, binding] of this.#bindings.entries()) {
      if (this.#engine.member(binding)?.started === true) continue;
      if ((this.#step + at) % ABSORBED_EVERY === 0) await this.#absorb(binding, now);
      else await this.#begin(this.#engine, binding, now);
    }
  }

  /** One transaction. */
  async apply(events: Events, now: Contents): Promise<void> {
    const list = new Map<number, readonly RowEvent[]>();
    for (const { table, columns } of this.#tables) {
      const own = events.get(table.name);
      if (own !== undefined)
        list.set(
          table.oid,
          own.map((event) => trimmed(event, columns)),
        );
    }
    const images = imagesOf(this.#tallies, events, list);
    this.#send(this.#engine.apply(list, images));
    this.#missing?.apply(list, images);
    this.#step++;
    const leaving = this.#bindings[hash(String(this.#step)) % 5];
    const member = leaving === undefined ? undefined : this.#engine.member(leaving);
    if (member !== undefined && this.#step % LEAVES_EVERY === 0) {
      this.#sent.delete(member);
      this.#engine.remove(member);
    }
    await this.load(now);
  }

  held(at: number): Held {
    const member = this.#engine.member(this.#bindings[at] ?? []);
    if (member?.started !== true) return 'missed';
    const rows = member.shown();
    const sent = this.#sent.get(member);
    if (sent !== undefined && !isSame(sent, rows))
      throw new Error('what was sent change by change is not what is held');
    return rows.map(({ values }) => values.slice(0, this.plan.visible));
  }

  #send({ changes }: FlowEffects): void {
    for (const [member, list] of changes) {
      const sent = this.#sent.get(member);
      if (sent === undefined) continue;
      for (const { old, next } of list) if (old !== null && next?.key !== old.key) sent.delete(old.key);
      for (const { next } of list) if (next !== null) sent.set(next.key, next.values);
    }
  }

  /** Those that wait have what they miss. @returns false when that is on its way still */
  async #complete(now: Contents): Promise<boolean> {
    let missing = this.#missing;
    this.#missing = null;
    const isWaiting = ({ started }: FlowMember): boolean => !started;
    for (;;) {
      const waiting = [...this.#engine.members()].filter(isWaiting);
      if (waiting.length === 0) return true;
      if (missing === null) {
        missing = this.#made();
        missing.complement(this.#engine);
        await this.#fill(missing, now);
        if (this.#step % OVERTAKEN_EVERY === 0 && waiting.every(isWaiting)) {
          this.#missing = missing;
          return false;
        }
      }
      this.#engine.learn(missing);
      for (const member of waiting) if (member.started) this.#hold(member);
      missing = null;
      if (!this.#engine.isWanting) return true;
    }
  }

  async #begin(engine: MergingEngine, binding: readonly PgText[], now: Contents): Promise<void> {
    const member = engine.add(binding);
    await this.#fill(engine, now);
    if (engine.start(member) && engine === this.#engine) this.#hold(member);
  }

  async #fill(engine: MergingEngine, now: Contents): Promise<void> {
    for (let any = true; any;) {
      const needs = engine.needs();
      for (const need of needs) engine.fill(need, this.#fetch(need, now));
      any = needs.length > 0 || (!this.#orders.isEmpty && (await placeTexts(this.#world.run, this.#orders)));
    }
  }

  #hold(member: FlowMember): void {
    this.#sent.set(member, new Map(member.shown().map(({ key, values }) => [key, values])));
  }

  /** As the hydration of a batch does it. */
  async #absorb(binding: readonly PgText[], now: Contents): Promise<void> {
    const other = this.#made();
    await this.#begin(other, binding, now);
    if (other.member(binding)?.started !== true) return;
    for (const [, member] of this.#engine.absorb(other)) this.#hold(member);
  }

  #fetch(need: Need, now: Contents): Map<string, Row[]> {
    const { input } = need.engine.block.inputs[need.input] ?? {};
    if (input?.of.kind !== 'table') throw new Error('assertion failed: only tables are fetched');
    const { of, demand } = input;
    const from = this.#tallies.get(of) ?? this.#tables.find(({ table }) => table.oid === of.table);
    const held = [...(now.get(from?.table.name ?? '') ?? [])].map(([key, row]) => ({
      key,
      values: from?.columns.map((at) => row[at] ?? null) ?? [],
    }));
    const all = of.tallied === true ? countedRows(held) : held;
    return new Map(
      [...need.keys].map(([key, given]) => [
        key,
        all.filter(({ values }) => agree(demand.pairs, values, given)),
      ]),
    );
  }
}

function agree(pairs: readonly DemandPair[], values: readonly PgText[], given: readonly PgText[]): boolean {
  return pairs.every(({ column, type }, at) => {
    const key = equality(type, ALL_PIECES.types);
    const [own, asked] = [key(values[column] ?? null), key(given[at] ?? null)];
    return own !== null && own === asked;
  });
}

function trimmed(event: RowEvent, columns: readonly number[]): RowEvent {
  if (event === 'truncate') return event;
  const { values, oldValues } = event;
  return {
    ...event,
    values: values.length === 0 ? [] : columns.map((at) => values[at]),
    ...(oldValues === undefined ? {} : { oldValues: columns.map((at) => oldValues[at]) }),
  };
}

/** The columns that a plan reads of rows that it holds, by table. */
function sourcesOf(block: Block): Map<number, readonly string[]> {
  const tables = new Map<number, readonly string[]>();
  for (const { of } of block.inputs) {
    if (of.kind === 'block') for (const [oid, names] of sourcesOf(of.block)) tables.set(oid, names);
    else if (of.tallied !== true)
      tables.set(
        of.table,
        of.columns.map(({ name }) => name),
      );
  }
  return tables;
}

function isSame(sent: ReadonlyMap<string, readonly PgText[]>, rows: readonly Row[]): boolean {
  if (sent.size !== rows.length) return false;
  return rows.every(({ key, values }) => {
    const own = sent.get(key);
    return own === values || (own !== undefined && JSON.stringify(own) === JSON.stringify(values));
  });
}
