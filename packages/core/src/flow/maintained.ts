import type { PgText, RowKey } from '../value.js';
import type { CompiledBlock } from './compiled-block.js';
import type { Effects, TableChanges } from './images.js';
import type { Held, Joining, Visits } from './joining.js';
import type { FlowMember, Membership } from './member.js';
import type { Row } from './row.js';

/** Keys of a table input of which the rows are to be fetched, with the values that the rows have to agree with. */
export interface Need {
  readonly engine: Maintained;
  readonly input: number;
  readonly keys: ReadonlyMap<string, readonly PgText[]>;
}

/** Of a block of which members do not hold their answers. */
export interface Answers {
  member(of: Membership, params: readonly PgText[], key: string): FlowMember;
  /** Whoever misses has the answer of before. @param exchange makes the rows what they were, and again what they are */
  settle(missed: Iterable<FlowMember>, exchange: () => void): void;
}

/** @returns null where members hold their answers */
export type MakeAnswers = (block: CompiledBlock, joining: Joining) => Answers | null;

/**
 * What keeps the answers of one block, for any number of bindings ("members"): by the rows that it joins
 * (`block-engine.ts`), or without them (`tally-engine.ts`).
 */
export interface Maintained {
  readonly block: CompiledBlock;
  /** What it holds; null where that is no rows. */
  readonly held: Held | null;
  /** By input that is a subquery. */
  readonly children: readonly (Maintained | null)[];
  /** Rows of tables that are held, and what is held in their place. */
  readonly heldRowCount: number;
  readonly memberCount: number;
  /** How often a join has asked for a key that nobody had asked for. */
  readonly asks: number;
  /** Reads no table, nor do its subqueries. */
  readonly isComputed: boolean;
  /** Members without an answer, or with one that the block above does not hold: all others need no look. */
  readonly open: Set<FlowMember>;
  /** Takes a binding in; `start` makes its answer once nothing is needed any more. */
  add(params: readonly PgText[]): FlowMember;
  /** What only it demanded is let go at the next `sweep`. */
  remove(member: FlowMember): void;
  member(params: readonly PgText[]): FlowMember | undefined;
  members(): Iterable<FlowMember>;
  /**
   * What has to be fetched of tables, here and below. Told once.
   * @param beside an engine of the plan: of what it knows nothing is told
   */
  needs(beside: Maintained | null): Iterable<Need>;
  /** Of what holds no rows: something of tables is needed. */
  readonly isWanting?: boolean;
  /** A member has no answer. */
  readonly isWaiting: boolean;
  /** All rows of a key of a table input; ignored when nobody asks for it any more. */
  cover(input: number, key: string, rows: Iterable<Row>): void;
  /**
   * Of what holds no rows: takes what another engine of the plan has, at the same position.
   * @param isRemade answers are not taken over but made again of rows
   * @returns whether any was
   */
  fillFrom?(other: Maintained, isRemade: boolean): boolean;
  /** Answers of subqueries that are complete become rows of their inputs. @returns whether any did */
  startChildren(visits: Visits): boolean;
  /** Starts what can be, from the innermost subqueries on; asks for what is missing. */
  startAll(): void;
  /** Makes the answer of a member. @returns whether all was there; what was not is asked for */
  start(member: FlowMember, visits?: Visits): boolean;
  /** Nobody asks for the answer of that key any more. */
  forget(key: string): void;
  /** Applies what one transaction did. A member that missed is open: it begins anew when all is there. */
  apply(changes: TableChanges): Effects;
  /** A row of a table as it is held, here or below. */
  find(table: number, key: RowKey): Row | null;
  /** Lets go what nobody demands any more, here and below. */
  sweep(): void;
}
