import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BINARY = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));

/** A `sluice` command that stays, in a process of its own as a user runs it. */
export class Served {
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  out = '';
  err = '';
  #looked: () => void = () => undefined;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.folder = folder;
    this.#exit = once(child, 'exit').then(([code]) => code as number | null);
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
    while (!done()) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`ended with ${this.#child.exitCode}: ${this.out}${this.err}`);
      }
      await new Promise<void>((resolve) => (this.#looked = resolve));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code. */
  ended(): Promise<number | null> {
    return this.#exit;
  }

  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.#exit;
  }

  #said(to: 'out' | 'err', chunk: Buffer): void {
    this[to] += chunk.toString();
    this.#looked();
  }
}
