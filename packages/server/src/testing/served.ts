import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { within } from './deadline.js';

const BINARY = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));

/** A `sluice` command that stays, in a process of its own as a user runs it. */
export class Served {
  readonly folder: string;
  readonly #child: ChildProcess;
  /** Its code, once all that it has printed is here. */
  readonly #exit: Promise<number | null>;
  #over = false;
  out = '';
  err = '';
  #looked: () => void = () => undefined;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.folder = folder;
    this.#exit = once(child, 'close').then(([code]) => {
      this.#over = true;
      return code as number | null;
    });
    child.stdout?.on('data', (chunk: Buffer) => this.#said('out', chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.#said('err', chunk));
    void this.#exit.then(() => this.#looked());
  }

  /** Runs `sluice` in a folder of its own; free port, ad-hoc SQL, no grace unless the arguments say otherwise. */
  static async run(
    argv: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    folder?: string,
  ): Promise<Served> {
    const inside = folder ?? (await mkdtemp(join(tmpdir(), 'sluice-served-')));
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      SLUICE_PORT: '0',
      SLUICE_GRACE_MS: '0',
      ...environment,
    };
    return new Served(spawn(process.execPath, [BINARY, ...argv], { cwd: inside, env }), inside);
  }

  /** Resolves with the URL of the line with `ready`. */
  async ready(): Promise<string> {
    await this.until(() => /^sluice ready \S+$/m.test(this.out));
    return /^sluice ready (\S+)$/m.exec(this.out)?.[1] ?? '';
  }

  /** Looked at after all that is printed. @throws when the process ends before */
  async until(done: () => boolean): Promise<void> {
    const said = (): string => `${String(done)}; it said ${this.out}${this.err.slice(-2000)}`;
    while (!done()) {
      if (this.#over) throw new Error(`ended with ${this.#child.exitCode}: ${this.out}${this.err}`);
      await within(said, new Promise<void>((resolve) => (this.#looked = resolve)));
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code. */
  ended(): Promise<number | null> {
    return within(() => `it ends; it said ${this.out}${this.err.slice(-2000)}`, this.#exit);
  }

  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.ended();
  }

  #said(to: 'out' | 'err', chunk: Buffer): void {
    this[to] += chunk.toString();
    this.#looked();
  }
}
