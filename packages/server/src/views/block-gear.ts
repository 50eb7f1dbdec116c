import type { EnginePieces } from '@sluice/core/flow/engine-pieces';
import type { RowEvent } from '@sluice/core/engine/table-engine';
import type { SluiceError } from '@sluice/core/errors';
import { withFunctions } from '@sluice/core/chunks/chunk';
import { lookAhead } from '@sluice/core/flow/look-ahead';
import type { FlowEffects } from '@sluice/core/flow/flow-engine';
import { MergingEngine } from '@sluice/core/flow/merging-engine';
import type { ImageChange } from '@sluice/core/flow/images';
import type { FlowMember } from '@sluice/core/flow/member';
import type { Block, Source } from '@sluice/core/flow/plan';
import { same } from '@sluice/core/flow/row';
import type { TextOrders } from '@sluice/core/flow/text-orders';
import type { Binding } from '@sluice/core/plan';
import type { Run } from '../source/source.js';
import { appended } from '@sluice/core/few';
import { Announced } from './announced.js';
import { AnswerRows, type Telling } from './answer-rows.js';
import type { Ask, CaughtUp, Gear, GearEffects, Held, Overtaken, Reading, Told } from './gear.js';
import { ImageChanges, RowEvents, type ChangesByTable } from './table-changes.js';
import { unsentIn } from './unsent.js';
import { NOWHERE } from './publications.js';

export interface BlockGearOptions {
  readonly block: Block;
  readonly pieces: EnginePieces;
  /** Of the collations that the plan names. */
  readonly orders: TextOrders;
  readonly telling: Telling;
  /** Reads what an engine needs, within a snapshot's transaction. @throws TooMuch */
  fill(run: Run, engine: MergingEngine, orders: TextOrders): Promise<void>;
}

const NONE: ReadonlySet<Held> = new Set();
const NO_RELATIONS: ReadonlySet<number> = new Set();
const NO_IMAGES: Events['images'] = new Map();

/**
 * Any query, as blocks within blocks. What views need is read into an engine of the batch's own, which takes on top
 * what the snapshot did not see, and is then absorbed by the one that follows the stream. A member that misses has the
 * answer of before that transaction: no second pass is needed to tell it. It waits in the engine, which goes on following
 * what it demands: only what the engine does not know is read, for all that wait together.
 *
 * Where texts are ordered as only Postgres knows, engines that are compared with one another know them by the same
 * tokens. Once most of these are of texts that may be gone, all that is held is made again over an heir of the orders
 * (`TextOrders`), which keeps the tokens of what is there. Who reads meanwhile has tokens that the heir does not know,
 * and reads once more; who waits is read anew.
 */
export class BlockGear implements Gear {
  readonly tables: ReadonlySet<number>;
  readonly #options: BlockGearOptions;
  readonly #events: readonly { readonly table: number; readonly reader: RowEvents }[];
  readonly #images: ReadonlyMap<Source, ImageChanges>;
  #orders: TextOrders;
  #engine: MergingEngine;
  /** So that each view has a member of its own. */
  #members = 0;
  /** Reads on their way. */
  #reads = 0;
  /** What the transactions did that are applied next. */
  readonly #coming = new Announced((changes: ChangesByTable) => this.#eventsOf(changes));

  constructor(options: BlockGearOptions) {
    this.#options = options;
    const sources = sourcesOf(options.block);
    const [tallied, held] = [sources.filter((one) => one.tallied), sources.filter((one) => !one.tallied)];
    this.tables = new Set(sources.map(({ table }) => table));
    const byTable = new Map(held.map((source) => [source.table, source]));
    this.#events = Array.from(byTable, ([table, source]) => ({ table, reader: new RowEvents(source) }));
    this.#images = new Map(tallied.map((source) => [source, new ImageChanges(source.columns)]));
    this.#orders = options.orders;
    this.#engine = this.#newEngine();
  }

  get heldRowCount(): number {
    return this.#engine.heldRowCount;
  }

  get heldBytes(): number {
    return this.#engine.heldBytes + (this.#orders.isEmpty ? 0 : this.#orders.heldBytes);
  }

  get heldTextCount(): number {
    return this.#orders.textCount;
  }

  refusal(_: Binding): SluiceError | null {
    return null;
  }

  async fetch<K extends Ask>(run: Run, asks: readonly K[]): Promise<Reading<K>> {
    const [engine, orders] = [this.#newEngine(), this.#orders];
    const members = new Map<K, FlowMember>();
    for (const ask of asks)
      if (ask.waiting?.isFollowed !== true)
        members.set(ask, engine.add([...ask.binding, String(this.#members++)]));
    const missing = members.size < asks.length ? this.#newEngine() : null;
    missing?.complement(this.#engine);
    this.#reads++;
    try {
      if (members.size > 0) await this.#options.fill(run, engine, orders);
      if (missing !== null) await this.#options.fill(run, missing, orders);
    } finally {
      this.#reads--;
    }
    const unable = new Set<K>();
    for (const [ask, member] of members) {
      if (engine.start(member)) continue;
      unable.add(ask);
      members.delete(ask);
      engine.remove(member);
    }
    return {
      catchUp: (wanted, steps) => {
        if (orders !== this.#orders)
          return { members: new Map(), overtaken: new Map(), errors: new Map(), unable: new Set() };
        const events = steps.map(({ changes }) => this.#eventsOf(changes));
        const caughtUp = this.#catchUp(engine, members, unable, new Set(wanted), events);
        return missing === null ? caughtUp : this.#complete(missing, wanted, events, caughtUp);
      },
    };
  }

  /** Those that waited have their answers, unless still more has become unknown; who lacks nothing is read anew, whole. */
  #complete<K extends Ask>(
    missing: MergingEngine,
    wanted: readonly K[],
    events: readonly Events[],
    caughtUp: CaughtUp<K>,
  ): CaughtUp<K> {
    for (const own of events) missing.apply(own.rows, own.images);
    this.#engine.learn(missing);
    const members = new Map(caughtUp.members);
    for (const ask of wanted) {
      const { waiting } = ask;
      if (!(waiting instanceof HeldAnswer) || !waiting.isFollowed) continue;
      if (waiting.member.started) members.set(ask, this.#hold(waiting.member));
      else if (!this.#engine.isWanting) waiting.leave();
    }
    return { ...caughtUp, members };
  }

  trim(any: boolean): ReadonlySet<Held> {
    const missed = new Set<Held>();
    if (any ? !this.#orders.isGrown : !this.#orders.isDue || this.#reads > 0) return missed;
    const before = this.#engine;
    for (const member of before.members()) if (!(member.owner instanceof HeldAnswer)) before.remove(member);
    this.#orders = this.#orders.heir();
    this.#engine = this.#newEngine();
    for (const [old, copy] of this.#engine.copy(before)) {
      const { owner } = old;
      if (!(owner instanceof HeldAnswer)) throw new Error('assertion failed: every member is held by a view');
      if (copy !== null && isSameAnswer(old, copy)) {
        owner.move(copy, this.#engine);
        continue;
      }
      if (copy !== null) this.#engine.remove(copy);
      missed.add(owner);
    }
    this.#orders.settle();
    return missed;
  }

  #newEngine(): MergingEngine {
    const { block, pieces } = this.#options;
    return new MergingEngine(
      block,
      this.#orders.isEmpty ? pieces : withFunctions(pieces, this.#orders.functions),
    );
  }

  ahead(transactions: readonly ChangesByTable[]): readonly Held[] {
    const events = this.#coming.announce(transactions);
    const members = lookAhead(
      this.#engine.root,
      events.map(({ rows }) => rows),
    );
    // Each loop takes one step for all, as there.
    const owners: (object | null)[] = [];
    for (let n = 0; n < members.length; n++) owners.push((members[n] as FlowMember).owner);
    const held: Held[] = [];
    for (let n = 0; n < owners.length; n++) {
      const owner = owners[n];
      if (owner instanceof HeldAnswer) held.push(owner);
    }
    return held;
  }

  apply(changes: ChangesByTable): GearEffects {
    const events = this.#coming.take(changes);
    const unsent = this.#unsentIn(changes, events);
    const effects = this.#engine.apply(events.rows, events.images);
    const told = toldOf(effects);
    if (effects.missed.size === 0) return { told, missed: NONE, unsent };
    const missed = new Set<Held>();
    for (const member of effects.missed) {
      const { owner } = member;
      // Until it is taken in again nobody is told of it.
      member.owner = null;
      if (owner instanceof HeldAnswer) missed.add(owner);
    }
    return { told, missed, unsent };
  }

  #unsentIn(changes: ChangesByTable, { rows }: Events): ReadonlySet<number> {
    let unsent: Set<number> | null = null;
    for (const [table, own] of rows) {
      const lacked = unsentIn(changes.get(table)?.changes ?? [], own, (key) =>
        this.#engine.holds(table, key),
      );
      for (const relation of lacked) (unsent ??= new Set()).add(relation);
    }
    return unsent ?? NO_RELATIONS;
  }

  /** What cannot be read, or is not known, is as if the table had been emptied: all that is held is void. */
  #eventsOf(changes: ChangesByTable): Events {
    const events = new Map<number, readonly RowEvent[]>();
    for (const { table, reader } of this.#events) {
      const own = changes.get(table);
      if (own === undefined) continue;
      events.set(table, (own.unknown ? null : reader.read(own.changes)) ?? ['truncate']);
    }
    if (this.#images.size === 0) return { rows: events, images: NO_IMAGES };
    const images = new Map<Source, readonly ImageChange[]>();
    for (const [source, reader] of this.#images) {
      const own = changes.get(source.table);
      if (own === undefined) continue;
      const read = own.unknown ? null : reader.read(own.changes);
      if (read === null) events.set(source.table, ['truncate']);
      else images.set(source, read);
    }
    return { rows: events, images };
  }

  #catchUp<K>(
    engine: MergingEngine,
    members: Map<K, FlowMember>,
    unable: ReadonlySet<K>,
    wanted: ReadonlySet<K>,
    events: readonly Events[],
  ): CaughtUp<K> {
    const asks = new Map<FlowMember, K>();
    for (const [ask, member] of members) {
      if (wanted.has(ask)) asks.set(member, ask);
      else engine.remove(member);
    }
    const overtaken = new Map<K, Overtaken>();
    const { telling } = this.#options;
    for (const [step, own] of events.entries()) {
      for (const member of engine.apply(own.rows, own.images).missed) {
        const ask = asks.get(member);
        asks.delete(member);
        if (ask !== undefined)
          overtaken.set(ask, { step, rows: new AnswerRows(member, telling).shown(), dry: false });
        if (engine.has(member)) engine.remove(member);
      }
    }
    const taken = new Map<K, Held>();
    if (engine.memberCount === 0) return { members: taken, overtaken, errors: new Map(), unable };
    for (const [old, member] of this.#engine.absorb(engine)) {
      const ask = asks.get(old);
      if (ask !== undefined) taken.set(ask, this.#hold(member));
    }
    return { members: taken, overtaken, errors: new Map(), unable };
  }

  #hold(member: FlowMember): Held {
    return new HeldAnswer(member, this.#options.telling, this.#engine);
  }
}

/** One object with its answer: every change of a member comes by it, and mostly finds it in no cache. */
class HeldAnswer extends AnswerRows implements Held {
  place: number = NOWHERE;
  owner: object | null = null;
  #engine: MergingEngine;

  constructor(member: FlowMember, telling: Telling, engine: MergingEngine) {
    super(member, telling);
    this.#engine = engine;
    member.owner = this;
  }

  /** Another engine has the same answer. */
  move(member: FlowMember, engine: MergingEngine): void {
    this.member.owner = null;
    this.#engine = engine;
    this.follow(member);
    member.owner = this;
  }

  leave(): void {
    if (!this.isFollowed) return;
    this.member.owner = null;
    this.#engine.remove(this.member);
  }

  get isFollowed(): boolean {
    return this.#engine.has(this.member);
  }

  get size(): number {
    return this.member.size;
  }

  get dry(): boolean {
    return false;
  }
}

function toldOf({ changes }: FlowEffects): readonly Told[] {
  let told: Told[] = [];
  for (const [{ owner: held }, rows] of changes)
    if (held instanceof HeldAnswer) told = appended(told, { held, ops: held.ops(rows) });
  return told;
}

function isSameAnswer(one: FlowMember, other: FlowMember): boolean {
  const rows = other.shown();
  return (
    one.size === rows.length &&
    one.shown().every(({ key, values }, at) => {
      const row = rows[at];
      return row?.key === key && same(row.values, values);
    })
  );
}

/** What one transaction did: by table, and by tallied source. */
interface Events {
  readonly rows: ReadonlyMap<number, readonly RowEvent[]>;
  readonly images: ReadonlyMap<Source, readonly ImageChange[]>;
}

/** All tables that a block reads, in it and below. */
function sourcesOf(block: Block): readonly Source[] {
  return block.inputs.flatMap(({ of }) => (of.kind === 'table' ? [of] : sourcesOf(of.block)));
}
