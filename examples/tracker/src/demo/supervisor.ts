import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isFromApplication, type FromApplication } from './messages.js';

const APPLICATION = fileURLToPath(new URL('./application.js', import.meta.url));
/** How long the application stays away when it was killed: long enough to be seen. */
const RESTART_MS = 2_000;
const STOP_TIMEOUT_MS = 5_000;

export interface SupervisorOptions {
  /** What the application is started with, each time anew. */
  readonly environment: () => Readonly<Record<string, string>>;
  readonly received: (message: FromApplication) => void;
  readonly say: (line: string) => void;
}

/** Runs the application in a process of its own, and starts it again when it is gone. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #child: ChildProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Resolves when it serves. @throws Error with its last words when it ends before */
  async start(): Promise<void> {
    const child = fork(APPLICATION, {
      env: { ...process.env, ...this.#options.environment() },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      let lastWords = 'the application ended while it started';
      child.on('message', (message) => {
        if (!isFromApplication(message)) return;
        if (message.kind === 'ready') resolve();
        if (message.kind === 'failed') lastWords = message.message;
        this.#options.received(message);
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(lastWords)));
    });
    child.once('exit', (code, signal) => this.#ended(signal ?? `exit ${code}`));
    if (child.exitCode !== null || child.signalCode !== null) this.#ended(child.signalCode ?? 'exit');
  }

  #ended(how: string): void {
    if (this.#stopped || this.#restart !== null) return;
    this.#options.say(`The application is gone (${how}); it is started again in ${RESTART_MS / 1_000} s.`);
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.start().then(
        () => this.#options.say('The application is back.'),
        (error: unknown) => this.#ended(error instanceof Error ? error.message : 'unknown'),
      );
    }, RESTART_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const overdue = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(overdue);
  }
}
