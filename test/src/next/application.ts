import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { blocksOf } from '../docs/blocks.js';
import { applyBlocks, isOfApplication } from '../quickstart/apply-blocks.js';

const run = promisify(execFile);
const root = join(dirname(createRequire(import.meta.url).resolve('@sluice/client')), '..', '..', '..');
const PACKAGES = ['core', 'server', 'client', 'react'];
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** An application of Next.js outside of the repository, as it was before Sluice and, after `apply`, with it. */
export class NextApplication {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', ...env };
  }

  static async install(env: Readonly<Record<string, string>>): Promise<NextApplication> {
    const application = new NextApplication(await mkdtemp(join(tmpdir(), 'sluice-next-')), env);
    await cp(join(root, 'test', 'next', 'app'), application.folder, { recursive: true });
    await application.npm('install', ...QUIET);
    return application;
  }

  /** The packages as npm would install them, and the blocks of docs/queries.md as they stand. @returns the blocks' number */
  async apply(): Promise<number> {
    const { folder } = this;
    for (const name of PACKAGES) {
      const options = ['-w', `@sluice/${name}`, '--pack-destination', folder, '--loglevel=error'];
      await run('npm', ['pack', ...options], { cwd: root });
    }
    const tarballs = PACKAGES.map((name) => `./sluice-${name}-0.1.0.tgz`);
    await this.npm('install', ...QUIET, 'zod', ...tarballs);
    const blocks = blocksOf(await readFile(join(root, 'docs', 'queries.md'), 'utf8'));
    const applied = blocks.filter(isOfApplication);
    await applyBlocks(folder, applied);
    return applied.length;
  }

  /** What a server of one's own does without: the port, and what leads to it. */
  async withoutPort(): Promise<void> {
    await rm(join(this.folder, 'instrumentation.ts'));
    await cp(join(root, 'test', 'next', 'app', 'next.config.ts'), join(this.folder, 'next.config.ts'));
  }

  async npm(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('npm', args, { cwd: this.folder, env: this.env });
    return stdout;
  }

  /** Which Next.js it is. */
  async version(): Promise<string> {
    const { version } = JSON.parse(
      await readFile(join(this.folder, 'node_modules', 'next', 'package.json'), 'utf8'),
    ) as { version: string };
    return version;
  }

  serve(how: How, port: number): Promise<NextServer> {
    return NextServer.start(this, how, port);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What serves it, given a port. */
export type How = keyof typeof COMMANDS;

const COMMANDS = {
  'next dev': (port: number) => [
    join('node_modules', 'next', 'dist', 'bin', 'next'),
    'dev',
    '-p',
    String(port),
  ],
  'next start': (port: number) => [
    join('node_modules', 'next', 'dist', 'bin', 'next'),
    'start',
    '-p',
    String(port),
  ],
  'server.ts': () => ['--import', 'tsx', 'server.ts'],
} as const;

/** The application in a process of its own. */
export class NextServer {
  readonly #child: ChildProcess;
  readonly #ended: Promise<readonly unknown[]>;
  #printed = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit');
    const hear = (chunk: Buffer): void => void (this.#printed += chunk.toString());
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
  }

  /** Resolves when Sluice in it is ready. */
  static async start(application: NextApplication, how: How, port: number): Promise<NextServer> {
    const server = new NextServer(
      spawn(process.execPath, COMMANDS[how](port), {
        cwd: application.folder,
        env: { ...application.env, PORT: String(port) },
        // A group of its own: `next dev` has a child.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    try {
      await vi.waitFor(() => {
        if (!server.#printed.includes('"event":"ready"')) throw new Error(`not ready: ${server.#printed}`);
      }, START_TIMEOUT_MS);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** What it said. */
  get printed(): string {
    return this.#printed;
  }

  /** @throws when it does not end by itself, with pages open as it may be. */
  async stop(): Promise<void> {
    const { pid, exitCode } = this.#child;
    if (pid === undefined || exitCode !== null) return;
    this.#child.kill('SIGTERM');
    const overdue = setTimeout(() => process.kill(-pid, 'SIGKILL'), STOP_TIMEOUT_MS);
    const [, signal] = await this.#ended;
    clearTimeout(overdue);
    if (signal === 'SIGKILL') throw new Error(`it did not end: ${this.#printed}`);
  }
}
