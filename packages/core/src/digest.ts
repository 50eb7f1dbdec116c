import type { PgText, Row, RowKey } from './value.js';

/*
 * What a client holds, in a few bytes (C15): rows are hashed with SipHash-2-4 under the seed of the connection's
 * `hello`, and the hashes of each bucket summed modulo 2^64. A row's bucket depends on its key alone, so a row that
 * changed spoils one bucket. Sums do not depend on order; for ordered views the sequence of keys is hashed as well.
 * The hash is keyed so that nobody who writes rows can make two of them collide for someone else.
 *
 *   text(null)   = 00
 *   text(string) = 01, length in bytes as 32 bits little-endian, UTF-8
 *   bucket(key)  = low 32 bits of sip(text(key)) modulo the number of buckets
 *   row          = sip(text(key) ‖ text(value) ‖ …)
 *   order        = sip(text(key) ‖ text(key) ‖ …)
 */

export const BUCKETS_MAX = 4096;

export interface Digest {
  /** 16 hexadecimal digits each. */
  readonly buckets: readonly string[];
  readonly order: string;
}

type KeyedRow = readonly [RowKey, Row];

/** How many buckets to send for that many rows: about sixteen rows each. */
export function bucketCount(rows: number): number {
  return Math.max(1, Math.min(1024, Math.ceil(rows / 16)));
}

/** @param seed 32 hexadecimal digits. */
export function digest(seed: string, rows: Iterable<KeyedRow>, buckets: number): Digest {
  const key = readSeed(seed);
  const sums = Array.from({ length: buckets }, () => [0, 0] as [number, number]);
  const text = new Bytes();
  const keys = new Bytes();
  for (const [rowKey, row] of rows) {
    text.clear();
    text.text(rowKey);
    keys.text(rowKey);
    const sum = sums[sip(key, text.bytes, text.length)[1] % buckets];
    for (const value of row) text.text(value);
    if (sum !== undefined) add(sum, sip(key, text.bytes, text.length));
  }
  return { buckets: sums.map(hex), order: hex(sip(key, keys.bytes, keys.length)) };
}

/** The bucket of each key, for the side that drops or sends buckets. */
export function bucketOf(seed: string, buckets: number): (key: RowKey) => number {
  const key = readSeed(seed);
  const text = new Bytes();
  return (rowKey) => {
    text.clear();
    text.text(rowKey);
    return sip(key, text.bytes, text.length)[1] % buckets;
  };
}

function add(sum: [number, number], hash: readonly [number, number]): void {
  const low = sum[1] + hash[1];
  sum[0] = (sum[0] + hash[0] + (low > 0xffffffff ? 1 : 0)) >>> 0;
  sum[1] = low >>> 0;
}

function hex(hash: readonly [number, number]): string {
  return hash[0].toString(16).padStart(8, '0') + hash[1].toString(16).padStart(8, '0');
}

function readSeed(seed: string): Uint32Array {
  const words = new Uint32Array(4);
  for (let i = 0; i < 16; i++) {
    const at = i >> 2;
    words[at] = (words[at] ?? 0) | (Number.parseInt(seed.slice(2 * i, 2 * i + 2), 16) << (8 * (i & 3)));
  }
  return words;
}

/** A growing buffer. UTF-8 is written by hand: the engine's platform has no TextEncoder. */
class Bytes {
  bytes: Uint8Array = new Uint8Array(1024);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  text(value: PgText): void {
    const room = this.length + 5 + (value === null ? 0 : 3 * value.length);
    if (room > this.bytes.length) this.#grow(room);
    this.bytes[this.length++] = value === null ? 0 : 1;
    if (value === null) return;
    const start = this.length + 4;
    this.length = writeUtf8(this.bytes, start, value);
    const size = this.length - start;
    for (let i = 0; i < 4; i++) this.bytes[start - 4 + i] = size >>> (8 * i);
  }

  #grow(room: number): void {
    const larger = new Uint8Array(2 * room);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

function writeUtf8(bytes: Uint8Array, start: number, text: string): number {
  let to = start;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code >= 0x80) {
      code = text.codePointAt(i) ?? code;
      if (code > 0xffff) i++;
      else if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    }
    if (code < 0x80) {
      bytes[to++] = code;
      continue;
    }
    if (code < 0x800) bytes[to++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) bytes[to++] = 0xe0 | (code >> 12);
      else {
        bytes[to++] = 0xf0 | (code >> 18);
        bytes[to++] = 0x80 | ((code >> 12) & 63);
      }
      bytes[to++] = 0x80 | ((code >> 6) & 63);
    }
    bytes[to++] = 0x80 | (code & 63);
  }
  return to;
}

/** SipHash-2-4 (Aumasson, Bernstein 2012) in 32-bit halves. @returns [high, low], unsigned. */
export function sip(key: Uint32Array, bytes: Uint8Array, length: number): [number, number] {
  const [k0l = 0, k0h = 0, k1l = 0, k1h = 0] = key;
  let v0h = k0h ^ 0x736f6d65;
  let v0l = k0l ^ 0x70736575;
  let v1h = k1h ^ 0x646f7261;
  let v1l = k1l ^ 0x6e646f6d;
  let v2h = k0h ^ 0x6c796765;
  let v2l = k0l ^ 0x6e657261;
  let v3h = k1h ^ 0x74656462;
  let v3l = k1l ^ 0x79746573;
  const full = length >>> 3;
  const byte = (at: number): number => (at < length ? (bytes[at] ?? 0) : 0);
  const word = (at: number): number =>
    byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
  // One step for each whole block, one for the last with the length on top, one to finish.
  for (let block = 0; block <= full + 1; block++) {
    const last = block === full;
    const finish = block > full;
    const ml = finish ? 0 : word(8 * block);
    const mh = finish ? 0 : word(8 * block + 4) | (last ? length << 24 : 0);
    if (finish) v2l ^= 0xff;
    v3h ^= mh;
    v3l ^= ml;
    for (let round = finish ? 4 : 2; round > 0; round--) {
      let t = (v0l >>> 0) + (v1l >>> 0);
      v0h = (v0h + v1h + (t > 0xffffffff ? 1 : 0)) | 0;
      v0l = t | 0;
      t = (v1h << 13) | (v1l >>> 19);
      v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
      v1h = t ^ v0h;
      t = v0h;
      v0h = v0l;
      v0l = t;
      t = (v2l >>> 0) + (v3l >>> 0);
      v2h = (v2h + v3h + (t > 0xffffffff ? 1 : 0)) | 0;
      v2l = t | 0;
      t = (v3h << 16) | (v3l >>> 16);
      v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
      v3h = t ^ v2h;
      t = (v0l >>> 0) + (v3l >>> 0);
      v0h = (v0h + v3h + (t > 0xffffffff ? 1 : 0)) | 0;
      v0l = t | 0;
      t = (v3h << 21) | (v3l >>> 11);
      v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
      v3h = t ^ v0h;
      t = (v2l >>> 0) + (v1l >>> 0);
      v2h = (v2h + v1h + (t > 0xffffffff ? 1 : 0)) | 0;
      v2l = t | 0;
      t = (v1h << 17) | (v1l >>> 15);
      v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
      v1h = t ^ v2h;
      t = v2h;
      v2h = v2l;
      v2l = t;
    }
    v0h ^= mh;
    v0l ^= ml;
  }
  return [(v0h ^ v1h ^ v2h ^ v3h) >>> 0, (v0l ^ v1l ^ v2l ^ v3l) >>> 0];
}
