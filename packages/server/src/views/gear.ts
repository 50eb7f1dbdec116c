import type { KeyedRow } from '@sluice/core/engine/diff';
import type { EncodedOp } from '@sluice/core/engine/held-row';
import type { SluiceError } from '@sluice/core/errors';
import type { Binding } from '@sluice/core/plan';
import type { Run } from '../source/source.js';
import type { Relevant } from './relevant-log.js';
import type { ChangesByTable } from './table-changes.js';

/*
 * What an engine is to the template that feeds it. Two kinds: one table with a window (`table-gear.ts`), and blocks
 * within blocks (`block-gear.ts`). Versions, gaps, catching up and pace are the template's.
 */
export interface Gear {
  readonly tables: ReadonlySet<number>;
  readonly heldRowCount: number;
  /** By estimate. */
  readonly heldBytes: number;
  /** Texts whose place in an order is known. */
  readonly heldTextCount: number;
  /** What Postgres says of a binding whatever the rows. */
  refusal(binding: Binding): SluiceError | null;
  /** Reads what views need, within a snapshot's transaction. @throws TooMuch when fewer views are to be read at once */
  fetch<K extends Ask>(run: Run, asks: readonly K[]): Promise<Reading<K>>;
  /** These transactions are applied next, in turn: what they will come by is read side by side. @returns members that they touch */
  ahead(transactions: readonly ChangesByTable[]): readonly Held[];
  /** One transaction's changes of its tables. Members that missed are told no more; their ops have been applied. */
  apply(changes: ChangesByTable): GearEffects;
  /**
   * Lets go of what no view needs any more: where that may be much, or `any`. What is being read may have to be read
   * once more. @returns members that missed thereby: they are members no more
   */
  trim(any: boolean): ReadonlySet<Held>;
}

export interface GearEffects {
  /** Each member once. */
  readonly told: readonly Told[];
  readonly missed: ReadonlySet<Held>;
  /** Relations of which values were not sent that who missed may have missed for. */
  readonly unsent: ReadonlySet<number>;
}

/** What a transaction did to the answer of a member. */
export interface Told {
  readonly held: Held;
  readonly ops: readonly EncodedOp[];
}

/** A view in the engine. Whose it is is found without looking it up. */
export interface Held {
  /** Where its changes are published; `NOWHERE` when nobody is told of them any more. */
  place: number;
  /** Who is to have it read again when it misses. */
  owner: object | null;
  /** Rows held. */
  readonly size: number;
  /** It is missed for want of rows beyond its window. */
  readonly dry: boolean;
  /** Its rows are held and followed: also after a miss, as long as it has not left. */
  readonly isFollowed: boolean;
  /** What clients show, in order. */
  shown(): readonly KeyedRow[];
  leave(): void;
}

/** What a view asks to have read. */
export interface Ask {
  readonly binding: Binding;
  /** Rows beyond the window on top of its margin. */
  readonly extra: number;
  /** In the engine since before it missed: while it is followed, what the engine lacks is read and no more. */
  readonly waiting: Held | null;
}

/** What a snapshot holds of some views. */
export interface Reading<K> {
  /**
   * Puts what the snapshot did not see on top, and takes into the live engine who is past all of it.
   * @param asks those of the reading that are still wanted
   */
  catchUp(asks: readonly K[], steps: readonly Step[]): CaughtUp<K>;
}

/** A transaction that a snapshot did not see, by table. */
export interface Step {
  readonly transaction: Relevant;
  readonly changes: ChangesByTable;
}

export interface CaughtUp<K> {
  readonly members: ReadonlyMap<K, Held>;
  /** Who missed on the way: at which step, and what its answer was before that. */
  readonly overtaken: ReadonlyMap<K, Overtaken>;
  /** Whose answer at the snapshot is an error. */
  readonly errors: ReadonlyMap<K, SluiceError>;
  /** Whose answer only Postgres can tell: it raises an error, or has a value that is not reproduced here. */
  readonly unable: ReadonlySet<K>;
}

export interface Overtaken {
  readonly step: number;
  readonly rows: readonly KeyedRow[];
  /** For want of rows beyond the window. */
  readonly dry: boolean;
}

/** Why a view is left to Postgres while it runs. */
export const INABILITIES = {
  not_reproduced: 'Postgres raises an error in it, or it holds a value that only Postgres computes.',
  too_much: 'It would have to hold more rows than rowsHeldPerViewMax, or read more than bytesPerViewMax.',
  memory: 'The views held more together than heldBytesMax, and it most of all.',
  not_read: 'Its rows could not be read: a statement took too long, or was refused.',
} as const;
export type Inability = keyof typeof INABILITIES;

/** A reading would hold too much: fewer views are to be read at once, or a single one not at all. */
export class TooMuch extends Error {}
