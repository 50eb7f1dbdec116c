import { lsnOfHalves, type Lsn } from '@sluice/core/lsn';
import { sourceError } from './errors.js';
import { BufferTuple, skipTuple } from './buffer-tuple.js';
import type { Change, Relation, RelationColumn } from './transaction.js';

/**
 * Decodes pgoutput, protocol 1 (Postgres manual, "Logical Replication Message Formats"), from the bytes as they came.
 *
 * A message costs one small object; the values of a row stay bytes until someone reads one (`BufferTuple`). That is
 * what makes the stream fast: most changes are discarded after a look at one column, or none.
 */
export type PgoutputMessage =
  | { readonly kind: 'begin'; readonly xid: number }
  /** `endLsn` is the byte after the commit record. */
  | { readonly kind: 'commit'; readonly endLsn: Lsn }
  | { readonly kind: 'origin'; readonly name: string }
  | { readonly kind: 'relation'; readonly relation: Relation }
  | { readonly kind: 'type'; readonly oid: number; readonly schema: string; readonly name: string }
  | {
      readonly kind: 'truncates';
      readonly relations: readonly Relation[];
      readonly cascade: boolean;
      readonly restartIdentity: boolean;
    }
  | {
      readonly kind: 'message';
      readonly transactional: boolean;
      readonly prefix: string;
      readonly content: Uint8Array;
    }
  | Exclude<Change, { readonly kind: 'truncate' }>;

const IDENTITIES: Readonly<Record<string, Relation['replicaIdentity']>> = {
  d: 'default',
  n: 'nothing',
  f: 'full',
  i: 'index',
};

/** One connection's decoder: it remembers the relations that the stream has described. */
export class PgoutputDecoder {
  readonly #relations = new Map<number, Relation>();

  /**
   * @param end the end of the message in the buffer, which is kept by the tuples and must not be written again.
   * @throws `stream_malformed`
   */
  decode(buffer: Buffer, start: number, end: number): PgoutputMessage {
    switch (buffer[start]) {
      case 0x49: // I
        return this.#insert(buffer, start + 1, end);
      case 0x55: // U
        return this.#update(buffer, start + 1, end);
      case 0x44: // D
        return this.#delete(buffer, start + 1, end);
      default:
        return this.#other(new Reader(buffer, start, end));
    }
  }

  #insert(buffer: Buffer, at: number, end: number): PgoutputMessage {
    const relation = this.#relation(readOid(buffer, at, end));
    expect(buffer, at + 4, 0x4e);
    return { kind: 'insert', relation, new: new BufferTuple(buffer, at + 5, end) };
  }

  #update(buffer: Buffer, at: number, end: number): PgoutputMessage {
    const relation = this.#relation(readOid(buffer, at, end));
    const marker = buffer[at + 4];
    if (marker === 0x4e) {
      const row = new BufferTuple(buffer, at + 5, end);
      return { kind: 'update', relation, identity: 'none', old: null, new: row };
    }
    const identity = identityOf(marker);
    const next = skipTuple(buffer, at + 5, end);
    expect(buffer, next, 0x4e);
    const old = new BufferTuple(buffer, at + 5, next);
    return { kind: 'update', relation, identity, old, new: new BufferTuple(buffer, next + 1, end) };
  }

  #delete(buffer: Buffer, at: number, end: number): PgoutputMessage {
    const relation = this.#relation(readOid(buffer, at, end));
    const identity = identityOf(buffer[at + 4]);
    return { kind: 'delete', relation, identity, old: new BufferTuple(buffer, at + 5, end) };
  }

  #relation(oid: number): Relation {
    const relation = this.#relations.get(oid);
    if (relation === undefined) throw sourceError('stream_malformed', `relation ${oid} was never described`);
    return relation;
  }

  #other(reader: Reader): PgoutputMessage {
    const type = reader.char();
    switch (type) {
      case 'B': {
        // Where it commits, and when.
        reader.skip(16);
        return { kind: 'begin', xid: reader.uint32() };
      }
      case 'C': {
        // Flags, and where the record begins.
        reader.skip(9);
        const endLsn = reader.lsn();
        // When.
        reader.skip(8);
        return { kind: 'commit', endLsn };
      }
      case 'O':
        reader.skip(8);
        return { kind: 'origin', name: reader.text() };
      case 'R':
        return { kind: 'relation', relation: this.#describe(reader) };
      case 'Y':
        return { kind: 'type', oid: reader.uint32(), schema: reader.text(), name: reader.text() };
      case 'T':
        return this.#truncates(reader);
      case 'M': {
        const transactional = (reader.uint8() & 1) === 1;
        reader.skip(8);
        return {
          kind: 'message',
          transactional,
          prefix: reader.text(),
          content: reader.bytes(reader.uint32()),
        };
      }
      default:
        throw sourceError('stream_malformed', `message type ${JSON.stringify(type)}`);
    }
  }

  #describe(reader: Reader): Relation {
    const oid = reader.uint32();
    const namespace = reader.text();
    const name = reader.text();
    const replicaIdentity = IDENTITIES[reader.char()] ?? 'nothing';
    const columns: RelationColumn[] = [];
    for (let count = reader.uint16(); count > 0; count--) {
      const identity = (reader.uint8() & 1) === 1;
      columns.push({ name: reader.text(), typeOid: reader.uint32(), typeModifier: reader.int32(), identity });
    }
    const schema = namespace === '' ? 'pg_catalog' : namespace;
    const relation: Relation = { oid, schema, name, replicaIdentity, columns };
    this.#relations.set(oid, relation);
    return relation;
  }

  #truncates(reader: Reader): PgoutputMessage {
    const count = reader.uint32();
    const options = reader.uint8();
    const relations: Relation[] = [];
    for (let index = 0; index < count; index++) relations.push(this.#relation(reader.uint32()));
    return {
      kind: 'truncates',
      relations,
      cascade: (options & 1) !== 0,
      restartIdentity: (options & 2) !== 0,
    };
  }
}

function readOid(buffer: Buffer, at: number, end: number): number {
  if (at + 5 > end) throw sourceError('stream_malformed', 'a change that ends early');
  return buffer.readUInt32BE(at);
}

function expect(buffer: Buffer, at: number, marker: number): void {
  if (buffer[at] !== marker) throw sourceError('stream_malformed', `tuple marker ${buffer[at]}`);
}

function identityOf(marker: number | undefined): 'key' | 'full' {
  if (marker === 0x4b) return 'key'; // K
  if (marker === 0x4f) return 'full'; // O
  throw sourceError('stream_malformed', `tuple marker ${marker}`);
}

/** Reads the messages that are rare, with every bound checked. */
class Reader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  skip(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#end - at) throw sourceError('stream_malformed', 'a message that ends early');
    this.#at = at + bytes;
    return at;
  }

  uint8(): number {
    return this.#buffer.readUInt8(this.skip(1));
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.skip(2));
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.skip(4));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.skip(4));
  }

  lsn(): Lsn {
    return lsnOfHalves(this.int32(), this.int32());
  }

  char(): string {
    return String.fromCharCode(this.uint8());
  }

  text(): string {
    const zero = this.#buffer.indexOf(0, this.#at);
    if (zero < 0 || zero >= this.#end) throw sourceError('stream_malformed', 'a name that does not end');
    const at = this.skip(zero + 1 - this.#at);
    return this.#buffer.toString('utf8', at, zero);
  }

  bytes(length: number): Uint8Array {
    const at = this.skip(length);
    return this.#buffer.subarray(at, at + length);
  }
}
