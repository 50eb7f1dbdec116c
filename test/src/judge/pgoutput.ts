/**
 * The judge's own reader of pgoutput, protocol 1, text values. It shares nothing with the product's decoder on
 * purpose: a mistake that both made would go unseen. (Postgres manual, "Logical Replication Message Formats".)
 */
export interface WalTransaction {
  /** The end of the commit record. */
  readonly lsn: bigint;
  readonly xid: number;
  /** When it committed, in microseconds of the Unix epoch. */
  readonly atMicros: bigint;
  readonly changes: readonly WalChange[];
  /** Logical messages that belong to it, but for those of DDL. */
  readonly messages: readonly WalMessage[];
}

export interface WalMessage {
  readonly prefix: string;
  readonly content: string;
}

/** The prefix under which writers tell of DDL, which itself says nothing in the WAL: JSON of its text and of what reads otherwise. */
export const DDL_MESSAGE = 'judge.ddl';

export interface WalRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly full: boolean;
  readonly columns: readonly { readonly name: string; readonly key: boolean }[];
}

/** `undefined`: an unchanged TOAST value, not sent. */
export type WalTuple = readonly (string | null | undefined)[];

export type WalChange =
  | { readonly kind: 'insert'; readonly relation: WalRelation; readonly new: WalTuple }
  | {
      readonly kind: 'update';
      readonly relation: WalRelation;
      readonly old: WalTuple | null;
      readonly new: WalTuple;
    }
  | { readonly kind: 'delete'; readonly relation: WalRelation; readonly old: WalTuple }
  | { readonly kind: 'truncate'; readonly relations: readonly WalRelation[] }
  /** A writer's statement that changes the schema, in its place among the rows that the transaction changes. */
  | { readonly kind: 'ddl'; readonly sql: string; readonly affects: readonly string[] };

/** Fed message by message; gives a transaction at its commit. What was open when a connection broke is dropped by `reset`. */
export class WalDecoder {
  readonly #relations = new Map<number, WalRelation>();
  #changes: WalChange[] = [];
  #messages: WalMessage[] = [];
  #xid = 0;
  /** Between BEGIN and COMMIT. */
  open = false;

  reset(): void {
    this.open = false;
    this.#relations.clear();
    this.#changes = [];
    this.#messages = [];
  }

  message(bytes: Buffer): WalTransaction | null {
    const reader = new Reader(bytes);
    const kind = reader.letter();
    switch (kind) {
      case 'B':
        reader.skip(16);
        this.#xid = reader.int32();
        this.#changes = [];
        this.#messages = [];
        this.open = true;
        return null;
      case 'C':
        this.open = false;
        reader.skip(9);
        return {
          lsn: reader.int64(),
          atMicros: reader.int64() + POSTGRES_EPOCH_MICROS,
          xid: this.#xid,
          changes: this.#changes,
          messages: this.#messages,
        };
      case 'R':
        this.#relation(reader);
        return null;
      case 'I':
      case 'U':
      case 'D':
      case 'T':
        this.#changes.push(this.#change(kind, reader));
        return null;
      case 'M':
        this.#message(reader);
        return null;
      case 'Y':
      case 'O':
        return null;
      default:
        throw new Error(`the judge does not know the pgoutput message ${kind}`);
    }
  }

  #message(reader: Reader): void {
    const transactional = (reader.int8() & 1) === 1;
    if (!transactional || !this.open) return;
    reader.skip(8);
    const prefix = reader.string();
    const content = reader.text();
    if (prefix === DDL_MESSAGE)
      this.#changes.push({ kind: 'ddl', ...(JSON.parse(content) as { sql: string; affects: string[] }) });
    else this.#messages.push({ prefix, content });
  }

  #relation(reader: Reader): void {
    const oid = reader.int32();
    const schema = reader.string();
    const name = reader.string();
    const full = reader.letter() === 'f';
    const columns = Array.from({ length: reader.int16() }, () => {
      const key = (reader.int8() & 1) === 1;
      const column = { name: reader.string(), key };
      reader.skip(8);
      return column;
    });
    this.#relations.set(oid, { oid, schema, name, full, columns });
  }

  #change(kind: 'I' | 'U' | 'D' | 'T', reader: Reader): WalChange {
    if (kind === 'T') {
      const count = reader.int32();
      reader.skip(1);
      return { kind: 'truncate', relations: Array.from({ length: count }, () => this.#known(reader)) };
    }
    const relation = this.#known(reader);
    const mark = reader.letter();
    if (kind === 'I') return { kind: 'insert', relation, new: reader.tuple() };
    if (kind === 'D') return { kind: 'delete', relation, old: reader.tuple() };
    if (mark === 'N') return { kind: 'update', relation, old: null, new: reader.tuple() };
    const old = reader.tuple();
    reader.skip(1);
    return { kind: 'update', relation, old, new: reader.tuple() };
  }

  #known(reader: Reader): WalRelation {
    const oid = reader.int32();
    const relation = this.#relations.get(oid);
    if (!relation) throw new Error(`the stream has not described relation ${oid}`);
    return relation;
  }
}

/** 2000-01-01, from where Postgres counts. */
const POSTGRES_EPOCH_MICROS = 946_684_800_000_000n;

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(count: number): void {
    this.#at += count;
  }

  letter(): string {
    return String.fromCharCode(this.int8());
  }

  int8(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64BE(this.#at - 8);
  }

  string(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  tuple(): WalTuple {
    return Array.from({ length: this.int16() }, () => {
      const mark = this.letter();
      if (mark === 'n') return null;
      if (mark === 'u') return undefined;
      return this.text();
    });
  }

  /** Its length, then its bytes. */
  text(): string {
    const length = this.int32();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }
}
