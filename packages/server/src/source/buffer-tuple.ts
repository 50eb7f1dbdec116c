import { assert } from '@sluice/core/assert';
import type { PgText } from '@sluice/core/value';
import { sourceError } from './errors.js';
import type { Tuple } from './transaction.js';

const NULL = 0x6e; // n
const UNCHANGED = 0x75; // u
const TEXT = 0x74; // t
/** Above this length Node's decoder wins over building a string by hand. */
const SHORT = 12;
/** All texts of two ASCII characters: a text that is put together of them leaves half as much behind. */
const PAIRS = Array.from({ length: 1 << 14 }, (_, pair) => String.fromCharCode(pair >> 7, pair & 0x7f));

/**
 * A row in the bytes of the stream: `uint16 columns`, then for each column `n`, `u`, or `t uint32 length, bytes`.
 *
 * Columns have no index, so reaching one means stepping over those before it. The tuple remembers where it stands:
 * reading columns in rising order, as everyone does, steps over each once.
 */
export class BufferTuple implements Tuple {
  readonly length: number;
  readonly #buffer: Buffer;
  readonly #start: number;
  readonly #end: number;
  #column = 0;
  #at: number;

  constructor(buffer: Buffer, start: number, end: number) {
    if (start + 2 > end) throw sourceError('stream_malformed', 'a row that ends early');
    this.length = buffer.readUInt16BE(start);
    this.#buffer = buffer;
    this.#start = start + 2;
    this.#end = end;
    this.#at = start + 2;
  }

  text(column: number): PgText | undefined {
    assert(column >= 0 && column < this.length, `column ${column} of ${this.length}`);
    if (column < this.#column) {
      this.#column = 0;
      this.#at = this.#start;
    }
    while (this.#column < column) {
      this.#at = skipValue(this.#buffer, this.#at, this.#end);
      this.#column++;
    }
    const marker = this.#buffer[this.#at];
    if (marker === TEXT) {
      const end = skipValue(this.#buffer, this.#at, this.#end);
      return decodeText(this.#buffer, this.#at + 5, end);
    }
    if (marker === NULL) return null;
    if (marker === UNCHANGED) return undefined;
    throw sourceError('stream_malformed', `value marker ${marker}`);
  }
}

/** @returns the byte after the tuple that starts here. */
export function skipTuple(buffer: Buffer, start: number, end: number): number {
  if (start + 2 > end) throw sourceError('stream_malformed', 'a row that ends early');
  let at = start + 2;
  for (let count = buffer.readUInt16BE(start); count > 0; count--) at = skipValue(buffer, at, end);
  return at;
}

function skipValue(buffer: Buffer, at: number, end: number): number {
  const marker = buffer[at];
  let next = at + 1;
  if (marker === TEXT && at + 5 <= end) next = at + 5 + buffer.readUInt32BE(at + 1);
  else if (marker !== NULL && marker !== UNCHANGED) {
    throw sourceError('stream_malformed', `value marker ${marker}`);
  }
  if (next > end) throw sourceError('stream_malformed', 'a value that ends early');
  return next;
}

function decodeText(buffer: Buffer, start: number, end: number): string {
  if (end - start > SHORT) return buffer.toString('utf8', start, end);
  let text = '';
  let at = start;
  for (; at + 1 < end; at += 2) {
    const [first, second] = [buffer[at] as number, buffer[at + 1] as number];
    if ((first | second) > 0x7f) return buffer.toString('utf8', start, end);
    text += PAIRS[(first << 7) | second];
  }
  if (at === end) return text;
  const last = buffer[at] as number;
  return last > 0x7f ? buffer.toString('utf8', start, end) : text + String.fromCharCode(last);
}
