import type { Few } from '../few.js';
import type { MapKey } from '../map-key.js';
import { bytesOfText } from './held-bytes.js';
import type { EncodedOp, Told } from './held-row.js';
import { lengthOf, type Packed } from './packed.js';
import type { PreparedBinding } from './predicate.js';

/**
 * A row that at least one member holds: once, whatever the number of members. It is another one when it stands elsewhere;
 * else it changes where it is. `RowLayout` knows where its columns are.
 */
export class HeldRow implements Told {
  readonly key: MapKey;
  json: string;
  readonly decisive: Packed;
  readonly place: Packed;
  members: Few<Member> | undefined = undefined;

  /** @param decisive says who holds it @param place says where it stands */
  constructor(key: MapKey, json: string, decisive: Packed, place: Packed) {
    this.key = key;
    this.json = json;
    this.decisive = decisive;
    this.place = place;
  }

  get keyJson(): string {
    return typeof this.key === 'number' ? `"${this.key}"` : JSON.stringify(this.key);
  }

  /** As it is now, for good. */
  told(): Told {
    return { json: this.json, keyJson: this.keyJson };
  }

  /** Those of who holds it among them: most rows have one. */
  get bytes(): number {
    return bytesOfText(
      this.json.length + lengthOf(this.key) + lengthOf(this.decisive) + lengthOf(this.place),
    );
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
  /** Which it is in. */
  engine: { remove(member: Member): void };
  /** How many rows are held: told without a look at them. */
  abstract readonly size: number;
  /** Fewer rows are held than the result has: it must be fetched anew. */
  abstract readonly dry: boolean;

  constructor(binding: PreparedBinding, engine: Member['engine']) {
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
  /** A row that is held stands where it stood. @param before its JSON then @param now as clients are told it */
  abstract updated(row: HeldRow, before: string, now: Told, ops: EncodedOp[]): void;
  abstract clear(ops: EncodedOp[]): void;
  /** Exchanges each held row for an equal one. */
  abstract exchange(equal: (row: HeldRow) => HeldRow): void;
  /** Everything held. */
  abstract held(): Iterable<HeldRow>;
  /** What of it a client shows, in order, as it is now. */
  abstract shown(): readonly Told[];
}

/** One row in the place of another of the same key. */
export interface Replacement {
  readonly old: HeldRow;
  readonly next: HeldRow;
  /** The next as clients are told it. */
  readonly now: Told;
}
