import type { Few } from '../few.js';
import { textOf, type MapKey } from '../map-key.js';
import type { EncodedOp, Told } from './held-row.js';
import type { Packed } from './packed.js';
import type { TablePlan } from '../plan.js';
import type { PreparedBinding } from './predicate.js';

/**
 * A row that at least one member holds: once, whatever the number of members. It is another one when it stands elsewhere;
 * else it changes where it is. `RowLayout` knows where its columns are.
 */
export class HeldRow implements Told {
  readonly key: MapKey;
  json: string;
  /** Of the text (`printOf`), where the engine asks for it. */
  print = 0;
  readonly decisive: Packed;
  readonly standing: Packed;
  members: Few<Member> | undefined = undefined;
  /** By estimate, but for what holds it. */
  bytes: number;

  /** @param decisive says who holds it @param standing says where it stands */
  constructor(key: MapKey, json: string, decisive: Packed, standing: Packed, bytes: number) {
    this.key = key;
    this.json = json;
    this.decisive = decisive;
    this.standing = standing;
    this.bytes = bytes;
  }

  get keyJson(): string {
    return JSON.stringify(textOf(this.key));
  }

  /** As it is now, for good. */
  told(): Told {
    return { json: this.json, keyJson: this.keyJson };
  }
}

/**
 * One binding in an engine, and the rows that it holds of its result. Each change writes the operations that take what a
 * client shows to what it should show. `evict` is called for a row that falls out on its own accord.
 */
export abstract class Member {
  readonly binding: PreparedBinding;
  /** Where what comes of a change goes, and who took it in: found without looking them up. */
  place = -1;
  owner: object | null = null;
  engine: Engine;
  /** How many rows are held: told without a look at them. */
  abstract readonly size: number;
  /** Fewer rows are held than the result has: it must be fetched anew. */
  abstract readonly dry: boolean;

  constructor(binding: PreparedBinding, engine: Engine) {
    this.binding = binding;
    this.engine = engine;
  }

  /** Once it missed it is no member any more. */
  get isFollowed(): boolean {
    return false;
  }

  leave(): void {
    this.engine.remove(this);
  }

  /** @returns whether the row is held now. */
  abstract insert(row: HeldRow, ops: EncodedOp[], evict: (row: HeldRow) => void): boolean;
  abstract remove(row: HeldRow, ops: EncodedOp[]): void;
  /** @param told the next image as clients are told it @returns whether it is held now. */
  abstract replace(change: Replacement, ops: EncodedOp[], evict: (row: HeldRow) => void): boolean;
  /** A client shows the row, which is held. */
  abstract shows(row: HeldRow): boolean;
  abstract clear(ops: EncodedOp[]): void;
  /** Exchanges each held row for an equal one. */
  abstract exchange(equal: (row: HeldRow) => HeldRow): void;
  /** Everything held. */
  abstract held(): Iterable<HeldRow>;
  /** What of it a client shows, in order, as it is now. */
  abstract shown(): readonly Told[];
}

/** What a member is in: one for all of a plan's. */
export interface Engine {
  readonly plan: TablePlan;
  readonly order: (left: HeldRow, right: HeldRow) => number;
  remove(member: Member): void;
}

/** One row in the place of another of the same key. */
export interface Replacement {
  readonly old: HeldRow;
  readonly next: HeldRow;
  /** The next as clients are told it. */
  readonly now: Told;
}
