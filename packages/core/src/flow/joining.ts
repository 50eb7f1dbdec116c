import { must } from '../assert.js';
import { each } from '../few.js';
import { isForPostgres, type Compiled } from './compile.js';
import { notReproduced, PgError } from '../expression/errors.js';
import type { PgText } from '../value.js';
import { place, type CompiledBlock, type CompiledInput } from './compiled-block.js';
import type { Combinations } from './combinations.js';
import { ABSENT, InputRow, type Key } from './input-row.js';
import type { InputStore } from './input-store.js';
import type { FlowMember, Tuples } from './member.js';
import { framed } from './row.js';
import { Unplaced } from './unplaced.js';

/** Rows that are looked at to make the tuples of one anchor: a join without equalities that needs more is Postgres's. */
export const VISITS_MAX = 1_000_000;

/** Rows that may still be looked at: what is left of that many is shared by all that counts on it. */
export interface Visits {
  left: number;
}

/** For so many bindings that begin together, with all of their subqueries. */
export function visitsFor(bindings: number): Visits {
  return { left: VISITS_MAX * Math.max(1, bindings) };
}

/** Stands in an anchor for the row that changes, where it is not there. */
const GONE: InputRow = new InputRow('', [], null);

/** Rows by input, from the top; none where the join is to be made. */
export type Anchor = readonly (InputRow | undefined)[];

/** Told of a member, and of an anchor of it. */
export type OnAnchored = (member: FlowMember, anchor: Anchor) => void;

/** What is held of a block, by input. */
export interface Held {
  readonly block: CompiledBlock;
  readonly stores: readonly InputStore[];
  /** Keys of tables that are not known, with what they are made of. */
  readonly needed: readonly Map<string, readonly PgText[]>[];
  /** Where rows of the parent have its key among those that they demand. */
  readonly places: readonly number[];
  readonly mixed: readonly (Combinations | null)[];
  readonly members: ReadonlyMap<string, FlowMember>;
}

/** Told of a key whose rows are not known: makes them known, or goes on without them. @returns whether they are known */
export type OnUnknown = (member: FlowMember, at: number, key: string, above: readonly PgText[]) => boolean;

/** Up the demand tree from a row to its anchors, and down from an anchor to the joined tuples. Holds nothing. */
export class Joining {
  readonly #block: CompiledBlock;
  readonly #stores: readonly InputStore[];
  readonly #places: readonly number[];
  readonly #mixed: readonly (Combinations | null)[];
  readonly #members: ReadonlyMap<string, FlowMember>;
  /** A joined row of which nothing is there yet. */
  readonly #blank: readonly PgText[];
  /** An anchor that names no row. */
  readonly #nameless: Anchor;

  constructor(parts: Held) {
    this.#block = parts.block;
    this.#stores = parts.stores;
    this.#places = parts.places;
    this.#mixed = parts.mixed;
    this.#members = parts.members;
    this.#blank = Array.from({ length: parts.block.width }, () => null);
    this.#nameless = parts.stores.map(() => undefined);
  }

  /**
   * Tells whoever a row of that input concerns, and by which rows. A row of a left join is followed like any other: with
   * it alone goes the question whether it is the only one.
   */
  anchors(at: number, row: InputRow, tell: OnAnchored, below: Anchor = []): void {
    if (row.own === null) return;
    const { join } = this.#input(at).input;
    const isFollowed = join === 'inner' || join === 'left';
    const named = below.length > 0 ? below : this.#nameless;
    this.#up(at, row.own, isFollowed ? withRow(named, at, row) : [], tell);
  }

  /** Tells the members with a row that demands the key. */
  membersBelow(at: number, text: string, tell: (member: FlowMember) => void): void {
    const key = this.#stores[at]?.key(text);
    if (key !== undefined) this.#up(at, key, [], tell);
  }

  #input(at: number): CompiledInput {
    return must(this.#block.inputs[at], 'input');
  }

  #up(at: number, key: Key, anchor: Anchor, tell: OnAnchored): void {
    const { parent } = this.#input(at).input.demand;
    if (parent === null) {
      for (const member of each(key.members)) tell(member, anchor);
      return;
    }
    const mixed = this.#mixed[at];
    if (!mixed) {
      for (const row of each(key.above)) this.#upFrom(parent, row, this.#members, anchor, tell);
      return;
    }
    const members = mixed.membersOf(key.text);
    const told: OnAnchored = (member, found) => void (members.has(member) && tell(member, found));
    for (const row of mixed.rowsOf(key.text)) this.#upFrom(parent, row, members, anchor, told);
  }

  /** @param members those that may have the row */
  #upFrom(
    at: number,
    row: InputRow,
    members: Pick<ReadonlySet<FlowMember>, 'values'> | ReadonlyMap<string, FlowMember>,
    anchor: Anchor,
    tell: OnAnchored,
  ): void {
    // Where there is no row, it is not known above which: all of every member is made again.
    if (row === ABSENT) for (const member of members.values()) tell(member, []);
    else this.anchors(at, row, tell, anchor);
  }

  /** Makes the joined tuples that have the anchor's rows. @returns whether all was known @throws PgError, NotReproduced */
  expand(
    member: FlowMember,
    anchor: Anchor,
    into: Tuples,
    onUnknown: OnUnknown,
    visits: Visits = visitsFor(1),
    isAnswered = false,
  ): boolean {
    const flat = [...this.#blank];
    const { params } = member;
    const { arms, rows, first } = this.#block;
    if (rows !== null) {
      make(rows(params), first, { member, into });
      return true;
    }
    if (!all(first, flat, params)) return true;
    const found = [...this.#nameless];
    const run: Run = {
      member,
      anchor,
      flat,
      rows: found,
      into,
      onUnknown,
      visits,
      isAnswered,
      isWhole: true,
    };
    if (arms === null) this.#join(run, 0, '');
    else this.#list(run, arms);
    return run.isWhole;
  }

  /** The rows of the inputs one by one: each with the number of its input before its columns. */
  #list(run: Run, arms: readonly (readonly Compiled[])[]): void {
    for (const [at, columns] of arms.entries()) {
      if (run.anchor.length > 0 && run.anchor[at] === undefined) continue;
      for (const row of this.#candidates(run, at)) {
        const key = `${at}/${row.key}`;
        const values = columns.map((column) => column(row.values, run.member.params));
        run.into.set(key, { key, flat: [String(at), ...values] });
      }
    }
  }

  #join(run: Run, at: number, key: string): void {
    const compiled = this.#block.inputs[at];
    if (compiled === undefined) {
      run.into.set(key, { key, flat: [...run.flat] });
      return;
    }
    const { input } = compiled;
    const { flat } = run;
    let found = 0;
    for (const row of this.#candidates(run, at)) {
      visit(run);
      place(flat, input, row);
      if (!this.#isOn(run, compiled)) continue;
      found++;
      if (input.join === 'exists') break;
      if (input.join === 'scalar' && found > 1) throw new PgError('21000');
      this.#further(run, at, row, key + framed(row.key));
      place(flat, input, row);
    }
    if (input.join === 'exists') {
      place(flat, input, null);
      flat[input.offset] = found > 0 ? 't' : 'f';
      this.#further(run, at, null, key);
    } else if (found === 0 && input.join !== 'inner' && !this.#hasOthers(run, at)) {
      place(flat, input, null);
      this.#further(run, at, null, `${key}-`);
    }
    place(flat, input, null);
  }

  /** An answer that there is has passed by rows that raise errors: EXISTS stops at the first that is there, and order may change. */
  #isOn({ flat, member, isAnswered }: Run, { on, input }: CompiledInput): boolean {
    if (!isAnswered || input.join !== 'exists') return all(on, flat, member.params);
    return attempt(() => all(on, flat, member.params));
  }

  /** With that row of the input, or without one: the inputs behind it. */
  #further(run: Run, at: number, row: InputRow | null, key: string): void {
    run.rows[at] = row;
    const { where } = this.#input(at);
    if (all(where, run.flat, run.member.params)) this.#join(run, at + 1, key);
  }

  /** Whether a row beside the one that the anchor names keeps a left join from being filled up. */
  #hasOthers(run: Run, at: number): boolean {
    if (run.anchor[at] === undefined) return false;
    const { input, on } = this.#input(at);
    for (const row of this.#candidates(run, at, [])) {
      visit(run);
      place(run.flat, input, row);
      if (all(on, run.flat, run.member.params)) return true;
    }
    return false;
  }

  #candidates(run: Run, at: number, anchor = run.anchor): Iterable<InputRow> {
    const { member, rows } = run;
    const compiled = this.#input(at);
    const { parent } = compiled.input.demand;
    const fixed = anchor[at];
    // Below a left join that is filled up nothing is what the anchor names.
    if (fixed !== undefined && (parent === null || rows[parent] === anchor[parent]))
      return fixed === GONE ? [] : [fixed];
    const above = parent === null ? null : (rows[parent] ?? absent(compiled));
    if (parent !== null && above === null) return [];
    const linked = above?.below[this.#places[at] ?? 0];
    if (linked?.isCovered === true) return each(linked.rows);
    if (linked === null) return [];
    const values = above === null ? member.params : above.values;
    const text = linked?.text ?? compiled.key(values, member.params);
    if (text === null) return [];
    const known = this.#stores[at]?.key(text);
    if (known?.isCovered === true) return each(known.rows);
    if (!run.onUnknown(member, at, text, values)) run.isWhole = false;
    return each(this.#stores[at]?.key(text)?.rows);
  }
}

/** What hangs on a row that is not there: nothing, unless it is a subquery, which has an answer for NULLs as well. */
function absent({ input }: CompiledInput): InputRow | null {
  return input.of.kind === 'block' ? ABSENT : null;
}

/** One descent. */
interface Run {
  readonly member: FlowMember;
  readonly anchor: Anchor;
  readonly flat: PgText[];
  readonly rows: (InputRow | null | undefined)[];
  readonly into: Tuples;
  readonly onUnknown: OnUnknown;
  readonly visits: Visits;
  /** What is made is an answer that is there. */
  readonly isAnswered: boolean;
  /** All that was looked at was known. */
  isWhole: boolean;
}

function visit({ visits }: Run): void {
  if (visits.left-- <= 0) notReproduced(`a join that looks at more than ${VISITS_MAX} rows`);
}

/** Rows that are made of parameters: by their number. */
function make(
  rows: readonly (readonly PgText[])[],
  where: readonly Compiled[],
  { member, into }: Pick<Run, 'member' | 'into'>,
): void {
  for (const [at, flat] of rows.entries())
    if (all(where, flat, member.params)) into.set(String(at), { key: String(at), flat });
}

/** Tells anchors of a member apart. */
export function anchorMark(anchor: Anchor): string {
  return Array.from(anchor, (row) => (row === GONE ? '+' : row ? framed(row.key) : '-')).join('');
}

/** The anchor in a state in which that row is not there. */
export function withoutRow(anchor: Anchor, at: number): Anchor {
  return withRow(anchor, at, GONE);
}

function withRow(anchor: Anchor, at: number, row: InputRow): Anchor {
  const extended = [...anchor];
  extended[at] = row;
  return extended;
}

function all(conditions: readonly Compiled[], flat: readonly PgText[], params: readonly PgText[]): boolean {
  for (const condition of conditions) if (condition(flat, params) !== 't') return false;
  return true;
}

/**
 * @param forget given where the work may be done again: it takes back what that has made
 * @returns false when it has said so, or Postgres would raise an error if it came to that
 */
export function attempt(work: () => unknown, forget?: () => void): boolean {
  try {
    return work() !== false;
  } catch (error) {
    if (error instanceof Unplaced && forget !== undefined) {
      error.learn(() => attempt(work));
      forget();
    }
    if (isForPostgres(error)) return false;
    throw error;
  }
}
