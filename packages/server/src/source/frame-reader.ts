import { sourceError } from './errors.js';

/** Called for each message of the backend: its type byte, and where its payload stands. */
export type OnFrame = (type: number, buffer: Buffer, start: number, end: number) => void;

/** `type uint8, length uint32` (which counts itself). */
const HEADER = 5;

/**
 * Cuts the bytes of a socket into the messages of Postgres's protocol, without copying those that lie within one
 * chunk. A message cut by a chunk's border is put together in a buffer of its own, once. Nothing given out is ever
 * overwritten, so tuples may keep pointing into it.
 */
export class FrameReader {
  readonly #onFrame: OnFrame;
  readonly #frameBytesMax: number;
  /** The parts of a message that has not ended, and how many bytes they and the whole have (0: not known yet). */
  #parts: Buffer[] = [];
  #have = 0;
  #need = 0;

  /** @param frameBytesMax nothing that Postgres sends is longer: a row has at most 1 GB. */
  constructor(onFrame: OnFrame, frameBytesMax = 0x7fffffff) {
    this.#onFrame = onFrame;
    this.#frameBytesMax = frameBytesMax;
  }

  /** @throws `stream_malformed`, and what `onFrame` throws. */
  push(chunk: Buffer): void {
    let rest = chunk;
    if (this.#have > 0) {
      if (this.#need > this.#have + chunk.length) return this.#keep(chunk);
      rest = this.#need === 0 ? Buffer.concat([...this.#parts, chunk]) : this.#complete(chunk);
    }
    this.#parts = [];
    this.#have = 0;
    this.#need = 0;
    let at = 0;
    while (at + HEADER <= rest.length) {
      const end = at + this.#size(rest, at);
      if (end > rest.length) {
        this.#need = end - at;
        break;
      }
      this.#onFrame(rest[at] as number, rest, at + HEADER, end);
      at = end;
    }
    if (at < rest.length) this.#keep(rest.subarray(at));
  }

  /** The message that was cut has its end in this chunk. @returns the bytes after it. */
  #complete(chunk: Buffer): Buffer {
    const missing = this.#need - this.#have;
    const whole = Buffer.concat([...this.#parts, chunk.subarray(0, missing)], this.#need);
    this.#onFrame(whole[0] as number, whole, HEADER, whole.length);
    return chunk.subarray(missing);
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#have += part.length;
  }

  #size(buffer: Buffer, at: number): number {
    const length = buffer.readUInt32BE(at + 1);
    if (length < 4 || length > this.#frameBytesMax) throw sourceError('stream_malformed', `length ${length}`);
    return 1 + length;
  }
}
