const WIDTH = 30;

/** On a terminal a bar, elsewhere a line at each quarter. */
export class ProgressBar {
  readonly #title: string;
  readonly #total: number;
  readonly #out: NodeJS.WriteStream;
  readonly #say: (line: string) => void;
  #quarters = 0;

  constructor(title: string, total: number, out: NodeJS.WriteStream, say: (line: string) => void) {
    this.#title = title;
    this.#total = total;
    this.#out = out;
    this.#say = say;
  }

  show(done: number): void {
    const share = this.#total === 0 ? 1 : done / this.#total;
    const text = `${done.toLocaleString('en')} / ${this.#total.toLocaleString('en')}`;
    if (this.#out.isTTY) {
      const filled = Math.round(share * WIDTH);
      this.#out.write(`\r${this.#title} ${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${text}`);
      if (done >= this.#total) this.#out.write('\n');
      return;
    }
    if (Math.floor(share * 4) <= this.#quarters) return;
    this.#quarters = Math.floor(share * 4);
    this.#say(`${this.#title}: ${text}`);
  }
}
