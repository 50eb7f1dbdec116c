import { must } from '../assert.js';
import type { Compiled } from './compile.js';
import { PgError } from '../expression/errors.js';
import type { PgText } from '../value.js';
import { place, type CompiledBlock } from './compiled-block.js';
import type { ChildIndex, InputStore } from './input-store.js';
import type { FlowMember, Tuple } from './member.js';
import { framed, type Row } from './row.js';

/** A row is looked for that is not known. */
export class Missing extends Error {}

/** Rows by input, from the top; none where the join is to be made. */
export type Anchor = readonly (Row | undefined)[];

export interface Anchored {
  readonly member: FlowMember;
  readonly anchor: Anchor;
}

/** Up the demand tree from a row to its anchors, and down from an anchor to the joined tuples. Holds nothing. */
export class Joining {
  readonly #block: CompiledBlock;
  readonly #stores: readonly InputStore[];
  readonly #above: readonly (ChildIndex | null)[];
  readonly #bindings: readonly ReadonlyMap<string, ReadonlySet<FlowMember>>[];

  constructor(
    block: CompiledBlock,
    stores: readonly InputStore[],
    above: readonly (ChildIndex | null)[],
    bindings: readonly ReadonlyMap<string, ReadonlySet<FlowMember>>[],
  ) {
    this.#block = block;
    this.#stores = stores;
    this.#above = above;
    this.#bindings = bindings;
  }

  /** Whoever a row of that input concerns, and by which rows. */
  *anchors(at: number, row: Row, below: Anchor = []): Generator<Anchored> {
    const { input, ownKey } = must(this.#block.inputs[at], 'input');
    const key = ownKey(row.values);
    if (key === null) return;
    yield* this.#up(at, key, input.join === 'inner' ? withRow(below, at, row) : []);
  }

  /** Members with a row that demands the key. */
  *membersBelow(at: number, key: string): Generator<FlowMember> {
    for (const { member } of this.#up(at, key, [])) yield member;
  }

  *#up(at: number, key: string, anchor: Anchor): Generator<Anchored> {
    const { parent } = must(this.#block.inputs[at], 'input').input.demand;
    if (parent === null) {
      for (const member of this.#bindings[at]?.get(key) ?? []) yield { member, anchor };
      return;
    }
    for (const row of must(this.#above[at] ?? null, 'an index of the parent').rows(key))
      yield* this.anchors(parent, row, anchor);
  }

  /** Makes the joined tuples that have the anchor's rows. @throws Missing, PgError */
  expand(member: FlowMember, anchor: Anchor, into: Map<string, Tuple>): void {
    const flat: PgText[] = Array.from({ length: this.#block.width }, () => null);
    const { params } = member;
    if (!all(this.#block.first, flat, params)) return;
    this.#join({ member, anchor, flat, rows: [], into }, 0, '');
  }

  #join(run: Run, at: number, key: string): void {
    const compiled = this.#block.inputs[at];
    if (compiled === undefined) {
      run.into.set(key, { key, flat: [...run.flat] });
      return;
    }
    const { input, where } = compiled;
    const { flat, member } = run;
    const next = (row: Row | null, part: string): void => {
      run.rows[at] = row;
      if (all(where, flat, member.params)) this.#join(run, at + 1, key + part);
    };
    let found = 0;
    for (const row of this.#candidates(run, at)) {
      place(flat, input, row);
      if (!all(compiled.on, flat, member.params)) continue;
      found++;
      if (input.join === 'exists') break;
      if (input.join === 'scalar' && found > 1) throw new PgError('21000');
      next(row, framed(row.key));
      place(flat, input, row);
    }
    if (input.join === 'exists') {
      flat[input.offset] = found > 0 ? 't' : 'f';
      next(null, '');
    } else if (found === 0 && input.join !== 'inner') {
      place(flat, input, null);
      next(null, '-');
    }
    place(flat, input, null);
  }

  #candidates({ anchor, member, rows }: Run, at: number): Iterable<Row> {
    const fixed = anchor[at];
    if (fixed !== undefined) return [fixed];
    const { input, parentKey } = must(this.#block.inputs[at], 'input');
    const { parent } = input.demand;
    const above = parent === null ? member.params : (rows[parent]?.values ?? null);
    const key = above === null ? null : parentKey(above);
    if (key === null) return [];
    const known = this.#stores[at]?.rows(key);
    if (known === undefined) throw new Missing();
    return known.values();
  }
}

/** One descent. */
interface Run {
  readonly member: FlowMember;
  readonly anchor: Anchor;
  readonly flat: PgText[];
  readonly rows: (Row | null)[];
  readonly into: Map<string, Tuple>;
}

function withRow(anchor: Anchor, at: number, row: Row): Anchor {
  const extended = [...anchor];
  extended[at] = row;
  return extended;
}

function all(conditions: readonly Compiled[], flat: readonly PgText[], params: readonly PgText[]): boolean {
  return conditions.every((condition) => condition(flat, params) === 't');
}
