import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformWithOxc } from 'vite';

/** A program of a page: a fenced block marked `runnable`, and those marked `runnable continued` after it. */
export interface Program {
  /** Of its first block. */
  readonly line: number;
  readonly language: 'js' | 'ts';
  readonly code: string;
  /** What a block marked `output` after it says that it prints. */
  readonly output: string | null;
}

interface Block {
  readonly line: number;
  readonly info: readonly string[];
  readonly text: string;
}

/** The fenced blocks of a page. */
function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: readonly string[]; lines: string[] } | null = null;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (!line.startsWith('```')) open?.lines.push(line);
    else if (open) {
      blocks.push({ line: open.line, info: open.info, text: open.lines.join('\n') });
      open = null;
    } else open = { line: index + 1, info: line.slice(3).trim().split(/\s+/), lines: [] };
  }
  return blocks;
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
  const workspace = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
  const folder = await mkdtemp(join(workspace, '.docs-'));
  try {
    const { code } = await transformWithOxc(program.code, `block.${program.language}`);
    const file = join(folder, 'block.mjs');
    const replaced = Object.entries(options.replace ?? {}).reduce(
      (text, [from, to]) => text.replaceAll(from, to),
      code,
    );
    await writeFile(file, replaced);
    return await run(file, program, options);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(file: string, program: Program, { env, timeoutMs = 20_000 }: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file], { env: { ...process.env, ...env }, timeout: timeoutMs });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (status, signal) => {
      if (status === 0) resolve(output);
      else
        reject(
          new Error(`the block at line ${program.line} ended with ${status ?? signal}:\n${output}${errors}`),
        );
    });
  });
}
