import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const READY_TIMEOUT_MS = 120_000;
const root = join(dirname(createRequire(import.meta.url).resolve('pg/package.json')), '..', '..');

/** `npm run demo` in a clone that is installed and built. */
export class DemoProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';

  private constructor(environment: Readonly<Record<string, string>>) {
    const { DATABASE_URL: _, ...inherited } = process.env;
    this.#child = spawn(process.execPath, [join(root, 'examples', 'tracker', 'dist', 'demo', 'run.js')], {
      env: { ...inherited, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#child, 'close'); // by then all that it has said is here
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  /** Resolves when it has said `ready`, or has ended. */
  static async start(environment: Readonly<Record<string, string>>): Promise<DemoProcess> {
    const demo = new DemoProcess(environment);
    await demo.#says(/ready: http/);
    return demo;
  }

  /** All that it has said. */
  get output(): string {
    return this.#output;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get url(): string {
    return this.#found(/ready: (http:\S+)/);
  }

  /** Of the owner of its tables. */
  get databaseUrl(): string {
    return this.#found(/psql (postgres:\S+)/);
  }

  async #says(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(this.#output)) end(resolve);
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`the demo is not ready:\n${this.#output}`))),
        READY_TIMEOUT_MS,
      );
      const end = (finish: () => void): void => {
        clearTimeout(timer);
        this.#child.stdout?.off('data', look);
        finish();
      };
      this.#child.stdout?.on('data', look);
      void this.#exited.then(() => end(resolve));
    });
  }

  #found(pattern: RegExp): string {
    const found = pattern.exec(this.#output)?.[1];
    if (found === undefined) throw new Error(`the demo did not say it:\n${this.#output}`);
    return found;
  }

  /** As Ctrl-C does. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGINT');
    await this.#exited;
  }
}
