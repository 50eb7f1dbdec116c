/** More was read than may be held. */
export class TooManyBytes extends Error {}

/** What statements may read together, by the length of the texts of their values. */
export class ByteCount {
  #left: number;

  constructor(bytesMax: number) {
    this.#left = bytesMax;
  }

  /** @throws TooManyBytes when it is more than may be read */
  add(text: string): void {
    this.#left -= text.length;
    if (this.#left < 0) throw new TooManyBytes('more bytes than may be held');
  }
}
