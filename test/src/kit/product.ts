import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join, dirname } from 'node:path';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { freePort } from '@sluice/server/embedded/embedded-postgres';

export interface ProductOptions {
  readonly databaseUrl: string;
  /** Where its output goes. */
  readonly log: string;
  /** More arguments of `sluice start`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
}

const READY_TIMEOUT_MS = 2 * PATIENCE_MS;
const STOP_TIMEOUT_MS = PATIENCE_MS;

/** `sluice start` in a process of its own, as a user would run it. */
export class Product {
  readonly port: number;
  readonly #options: ProductOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | null = null;
  #expected = true;
  #serving = false;
  /** Set when the process ended although nobody asked it to. */
  crash: string | null = null;

  private constructor(port: number, options: ProductOptions) {
    this.port = port;
    this.#options = options;
    this.#log = createWriteStream(options.log, { flags: 'a' });
  }

  static async start(options: ProductOptions): Promise<Product> {
    const product = new Product(options.port ?? (await freePort()), options);
    await product.start();
    return product;
  }

  /** Has said that it is ready, and has not been asked to end. */
  get serving(): boolean {
    return this.#serving;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it has printed its line with `ready`. */
  async start(): Promise<void> {
    const { databaseUrl, args, env } = this.#options;
    const child = spawn(
      process.execPath,
      [
        binary(),
        'start',
        '--database-url',
        databaseUrl,
        '--port',
        String(this.port),
        '--allow-sql',
        ...(args ?? []),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
    );
    this.#child = child;
    this.#expected = false;
    const stopWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', stopWithUs);
    child.once('exit', (code, signal) => {
      process.removeListener('exit', stopWithUs);
      this.#log.write(`--- exit ${code ?? signal}\n`);
      if (this.#child === child) {
        this.#child = null;
        this.#serving = false;
      }
      if (!this.#expected) this.crash = `the server ended by itself: ${code ?? signal}`;
    });
    child.stderr.on('data', (chunk: Buffer) => this.#log.write(chunk));
    await this.#untilReady(child);
    this.#serving = true;
  }

  /** Another process with the same options on a port of its own. */
  successor(): Promise<Product> {
    const { port: _, ...options } = this.#options;
    return Product.start(options);
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not ready: ${output.slice(-2000)}`)),
        READY_TIMEOUT_MS,
      );
      child.stdout?.on('data', (chunk: Buffer) => {
        this.#log.write(chunk);
        if (output.length < 100_000) output += chunk.toString();
        if (!/\bready\b.*http/i.test(output)) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`the server did not start (${code ?? signal}), see ${this.#options.log}`));
      });
      child.once('error', reject);
    });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM: hands its clients over and leaves nothing behind. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#expected = true;
    this.#serving = false;
    const exited = once(child, 'exit');
    child.kill(signal);
    const overdue = setTimeout(() => {
      this.crash = `the server did not end within ${STOP_TIMEOUT_MS} ms of ${signal}`;
      child.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(overdue);
    this.#child = null;
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    return { status: response.status, body: await response.text() };
  }
}

/** `SLUICE_TEST_SERVER` names another script to start instead. */
export function binary(): string {
  const given = process.env['SLUICE_TEST_SERVER'];
  if (given !== undefined) return given;
  const root = dirname(createRequire(import.meta.url).resolve('@sluice/server'));
  return join(root, 'cli', 'bin.js');
}
