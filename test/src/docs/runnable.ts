import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { transformWithOxc } from 'vite';
import { blocksOf } from './blocks.js';

/** A program of a page: a fenced block marked `runnable`, and those marked `runnable continued` after it. */
export interface Program {
  /** Of its first block. */
  readonly line: number;
  readonly language: 'js' | 'ts';
  readonly code: string;
  /** What a block marked `output` after it says that it prints. */
  readonly output: string | null;
}

/** The programs of a page, in its order. */
export function programsOf(markdown: string): readonly Program[] {
  const programs: Program[] = [];
  for (const { line, info, text } of blocksOf(markdown)) {
    const last = programs.at(-1);
    if (info.includes('output') && last) programs[programs.length - 1] = { ...last, output: text };
    else if (info.includes('continued') && last) {
      programs[programs.length - 1] = { ...last, code: `${last.code}\n${text}` };
    } else if (info.includes('runnable')) {
      programs.push({ line, language: info[0] === 'ts' ? 'ts' : 'js', code: text, output: null });
    }
  }
  return programs;
}

export interface RunOptions {
  /** Texts of the page that stand for something of the test: `http://localhost:4400` for the server's url. */
  readonly replace?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs a program in a process of its own, where the workspace's packages resolve. @returns what it printed. */
export async function runProgram(program: Program, options: RunOptions = {}): Promise<string> {
  const running = await RunningProgram.start(program, options);
  return running.ended;
}

/** A program of a page while it runs. */
export class RunningProgram {
  /** What it has printed; rejects when it fails. Being stopped is no failure. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #line: number;
  #output = '';
  #errors = '';
  #stopped = false;
  #told: () => void = () => undefined;

  private constructor(child: ChildProcessWithoutNullStreams, line: number, folder: string) {
    this.#child = child;
    this.#line = line;
    child.stdout.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
      this.#told();
    });
    child.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.ended = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => {
        if (status === 0 || (this.#stopped && signal === 'SIGTERM')) resolve(this.#output);
        else reject(this.#failure(`ended with ${status ?? signal}`));
      });
    }).finally(() => rm(folder, { recursive: true }));
    this.ended.catch(() => undefined); // whoever waits for it is told
  }

  static async start(program: Program, options: RunOptions = {}): Promise<RunningProgram> {
    const workspace = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
    const folder = await mkdtemp(join(workspace, '.docs-'));
    const { code } = await transformWithOxc(
      replaced(program.code, options.replace),
      `block.${program.language}`,
    );
    const file = join(folder, 'block.mjs');
    await writeFile(file, code);
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 2 * PATIENCE_MS,
    });
    return new RunningProgram(child, program.line, folder);
  }

  /** Resolves once it has printed this text after what was waited for before. */
  async prints(text: string): Promise<void> {
    const printed = new Promise<void>((resolve) => {
      this.#told = () => {
        const at = this.#output.indexOf(text);
        if (at < 0) return;
        this.#output = this.#output.slice(at + text.length);
        resolve();
      };
      this.#told();
    });
    await Promise.race([
      printed,
      this.ended.then(() => {
        throw this.#failure(`ended before it printed ${text}`);
      }),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#child.kill();
    await this.ended;
  }

  #failure(what: string): Error {
    return new Error(`the block at line ${this.#line} ${what}:\n${this.#output}${this.#errors}`);
  }
}

/** A text of a page with what stands for something of the test; what has taken its place is not looked at again. */
function replaced(text: string, by: RunOptions['replace'] = {}): string {
  const wanted = Object.keys(by).map((from) => from.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return wanted.length === 0
    ? text
    : text.replaceAll(new RegExp(wanted.join('|'), 'g'), (from) => by[from] ?? from);
}
