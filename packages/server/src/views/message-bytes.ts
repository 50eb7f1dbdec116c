import { highHalf, lowHalf, type Lsn } from '@sluice/core/lsn';

/** Short messages lie one behind the other in buffers of this size. */
const BUFFER_BYTES = 8192;
/** Of texts up to this length room is made for whatever they are. */
const SHORT = 512;
const [DIGIT, LETTER, COLON, SLASH] = [0x30, 0x37, 0x3a, 0x2f];

/** Writes messages: bytes, and no texts on the way that are thrown away at once. */
export class MessageBytes {
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #start = 0;
  #at = 0;

  /** @param head bytes beside the body at most */
  begin(head: number, body: string): void {
    const room = head + (body.length <= SHORT ? 3 * body.length : Buffer.byteLength(body));
    if (this.#at + room > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, room));
      this.#at = 0;
    }
    this.#start = this.#at;
  }

  ascii(text: string): void {
    for (let at = 0; at < text.length; at++) this.#buffer[this.#at++] = text.charCodeAt(at);
  }

  bytes(from: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) this.#buffer[this.#at++] = from[at] as number;
  }

  text(text: string): void {
    this.#at += this.#buffer.write(text, this.#at);
  }

  /** As `formatPosition` prints it. */
  position(epoch: string, lsn: Lsn): void {
    this.ascii(epoch);
    this.#buffer[this.#at++] = COLON;
    this.#hex(highHalf(lsn));
    this.#buffer[this.#at++] = SLASH;
    this.#hex(lowHalf(lsn));
  }

  end(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#at);
  }

  #hex(half: number): void {
    for (let shift = 28 - (Math.clz32(half | 1) & ~3); shift >= 0; shift -= 4) {
      const digit = (half >>> shift) & 15;
      this.#buffer[this.#at++] = digit + (digit < 10 ? DIGIT : LETTER);
    }
  }
}
