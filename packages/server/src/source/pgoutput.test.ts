import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeChange, values } from '../testing/source.js';
import { PgoutputDecoder, type PgoutputMessage } from './pgoutput.js';
import type { Relation } from './transaction.js';

// An encoder written from the manual's message formats, independent of the decoder.

type Value = string | null | undefined;
const u8 = (value: number): Buffer => Buffer.from([value]);
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
const name = (text: string): Buffer => Buffer.concat([Buffer.from(text, 'utf8'), u8(0)]);
const tag = (letter: string): Buffer => Buffer.from(letter, 'latin1');

function tuple(row: readonly Value[]): Buffer {
  const columns = row.map((value) => {
    if (value === null) return tag('n');
    if (value === undefined) return tag('u');
    const bytes = Buffer.from(value, 'utf8');
    return Buffer.concat([tag('t'), u32(bytes.length), bytes]);
  });
  return Buffer.concat([u16(row.length), ...columns]);
}

function relation(described: Relation): Buffer {
  const identities = { default: 'd', nothing: 'n', full: 'f', index: 'i' };
  return Buffer.concat([
    tag('R'),
    u32(described.oid),
    name(described.schema === 'pg_catalog' ? '' : described.schema),
    name(described.name),
    tag(identities[described.replicaIdentity]),
    u16(described.columns.length),
    ...described.columns.map((column) =>
      Buffer.concat([
        u8(column.identity ? 1 : 0),
        name(column.name),
        u32(column.typeOid),
        u32(column.typeModifier),
      ]),
    ),
  ]);
}

/** Decodes with bytes of something else on both sides, as they lie in the chunks of a socket. */
function decode(decoder: PgoutputDecoder, message: Buffer): PgoutputMessage {
  const chunk = Buffer.concat([Buffer.from('tnu'), message, Buffer.from('NKOt')]);
  return decoder.decode(chunk, 3, 3 + message.length);
}

const anyName = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'));
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', 'n', 'u', 't', '\u{1F600}'.repeat(9), 'ÿ'.repeat(24), 'x'.repeat(70_000)),
);
const anyValue: fc.Arbitrary<Value> = fc.oneof(anyText, fc.constant(null), fc.constant(undefined));
const anyRow = fc.array(anyValue, { maxLength: 40 });
const anyOid = fc.nat({ max: 0xffff_ffff });
const anyColumn = fc.record({
  name: anyName,
  typeOid: anyOid,
  typeModifier: fc.integer({ min: -1, max: 0x7fff_ffff }),
  identity: fc.boolean(),
});
const anyRelation: fc.Arbitrary<Relation> = fc.record({
  oid: anyOid,
  schema: anyName,
  name: anyName,
  replicaIdentity: fc.constantFrom('default', 'nothing', 'full', 'index'),
  columns: fc.array(anyColumn, { maxLength: 30 }),
});

test('a relation is what was described, with the system schema by its name', () => {
  fc.assert(
    fc.property(anyRelation, (described) => {
      expect(decode(new PgoutputDecoder(), relation(described))).toEqual({
        kind: 'relation',
        relation: described,
      });
    }),
  );
});

test('inserts, updates and deletes of every identity hold the values that were sent, read in any order', () => {
  const anyMarker = fc.constantFrom('key' as const, 'full' as const);
  fc.assert(
    fc.property(
      anyRelation,
      anyRow,
      anyRow,
      anyMarker,
      fc.infiniteStream(fc.nat()),
      (described, a, b, identity, order) => {
        const decoder = new PgoutputDecoder();
        decode(decoder, relation(described));
        const oid = u32(described.oid);
        const marker = tag(identity === 'key' ? 'K' : 'O');
        const table = described.name;
        const insert = decode(decoder, Buffer.concat([tag('I'), oid, tag('N'), tuple(a)]));
        const update = decode(decoder, Buffer.concat([tag('U'), oid, tag('N'), tuple(b)]));
        const moved = decode(decoder, Buffer.concat([tag('U'), oid, marker, tuple(a), tag('N'), tuple(b)]));
        const deleted = decode(decoder, Buffer.concat([tag('D'), oid, marker, tuple(a)]));
        expect([insert, update, moved, deleted].map((message) => describeChange(message as never))).toEqual([
          { insert: table, new: a },
          { update: table, identity: 'none', old: null, new: b },
          { update: table, identity, old: a, new: b },
          { delete: table, identity, old: a },
        ]);
        if (insert.kind !== 'insert' || a.length === 0) return;
        for (const index of order.take(20)) {
          const column = index % a.length;
          expect(insert.new.text(column)).toBe(a[column]);
        }
      },
    ),
  );
});

test('transaction borders, origins, types, truncates and messages', () => {
  const anyLsn = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
  fc.assert(
    fc.property(
      anyLsn,
      anyLsn,
      anyOid,
      anyName,
      fc.uint8Array(),
      fc.array(anyRelation, { maxLength: 5 }),
      fc.nat({ max: 3 }),
      (one, two, xid, text, content, relations, flags) => {
        const decoder = new PgoutputDecoder();
        for (const described of relations) decode(decoder, relation(described));
        const byOid = new Map(relations.map((described) => [described.oid, described]));
        const time = u64(1_000_000n);
        const read = (...parts: Buffer[]): PgoutputMessage => decode(decoder, Buffer.concat(parts));
        expect(read(tag('B'), u64(one), time, u32(xid))).toEqual({ kind: 'begin', xid });
        expect(read(tag('C'), u8(0), u64(one), u64(two), time)).toEqual({
          kind: 'commit',
          endLsn: two,
        });
        expect(read(tag('O'), u64(one), name(text))).toEqual({ kind: 'origin', name: text });
        expect(read(tag('Y'), u32(xid), name(text), name(text))).toMatchObject({ kind: 'type', name: text });
        const oids = relations.map(({ oid }) => u32(oid));
        expect(read(tag('T'), u32(oids.length), u8(flags), ...oids)).toEqual({
          kind: 'truncates',
          relations: relations.map(({ oid }) => byOid.get(oid)),
          cascade: (flags & 1) !== 0,
          restartIdentity: (flags & 2) !== 0,
        });
        const message = read(
          tag('M'),
          u8(flags & 1),
          u64(one),
          name(text),
          u32(content.length),
          Buffer.from(content),
        );
        expect(message).toMatchObject({ kind: 'message', transactional: (flags & 1) !== 0, prefix: text });
        expect(message.kind === 'message' && [...message.content]).toEqual([...content]);
      },
    ),
  );
});

test('a relation that is described again replaces the old one for what follows, not for what came before', () => {
  const decoder = new PgoutputDecoder();
  const column = { name: 'a', typeOid: 25, typeModifier: -1, identity: true };
  const before: Relation = {
    oid: 1,
    schema: 's',
    name: 't',
    replicaIdentity: 'default',
    columns: [column],
  };
  const after: Relation = { ...before, columns: [column, { ...column, name: 'b', identity: false }] };
  decode(decoder, relation(before));
  const first = decode(decoder, Buffer.concat([tag('I'), u32(1), tag('N'), tuple(['x'])]));
  decode(decoder, relation(after));
  const second = decode(decoder, Buffer.concat([tag('I'), u32(1), tag('N'), tuple(['x', 'y'])]));
  expect([first, second]).toMatchObject([{ relation: before }, { relation: after }]);
});

test('bytes that are no pgoutput are a registered error, never a wrong value and never a hang', () => {
  const described: Relation = {
    oid: 7,
    schema: 's',
    name: 't',
    replicaIdentity: 'default',
    columns: [{ name: 'a', typeOid: 25, typeModifier: -1, identity: true }],
  };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (bytes) => {
      const decoder = new PgoutputDecoder();
      decode(decoder, relation(described));
      const chunk = Buffer.from(bytes);
      try {
        const message = decoder.decode(chunk, 0, chunk.length);
        if (message.kind === 'insert') values(message.new);
      } catch (error) {
        expect(error).toMatchObject({ code: 'stream_malformed' });
      }
    }),
    { numRuns: 2000 },
  );
});

test('a message cut anywhere is a registered error once its values are read', () => {
  const described: Relation = {
    oid: 7,
    schema: 's',
    name: 't',
    replicaIdentity: 'full',
    columns: [],
  };
  const row = tuple(['abc', null, 'd']);
  const whole = Buffer.concat([tag('U'), u32(7), tag('O'), row, tag('N'), row]);
  for (let length = 1; length < whole.length; length++) {
    const decoder = new PgoutputDecoder();
    decode(decoder, relation(described));
    const read = (): unknown => {
      const message = decoder.decode(whole.subarray(0, length), 0, length);
      return message.kind === 'update' ? values(message.new) : message;
    };
    expect(read, `${length} bytes`).toThrow(expect.objectContaining({ code: 'stream_malformed' }));
  }
});
