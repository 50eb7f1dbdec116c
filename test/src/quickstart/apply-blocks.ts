import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Block } from '../docs/blocks.js';

/**
 * Does to an application what a page tells its reader to: a block with `file=PATH` is that file; with the language
 * `diff` it changes one, its lines beginning with `+`, `-` or a blank. Nothing is read into a block: a line that
 * is not where the page says makes it fail.
 * @returns how many lines that are not empty the reader had to write
 */
export async function applyBlocks(folder: string, blocks: readonly Block[]): Promise<number> {
  let added = 0;
  for (const { info, text, line } of blocks) {
    const path = fileOf(info);
    if (path === null) continue;
    const file = join(folder, path);
    if (info[0] !== 'diff') {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `${text}\n`, { flag: 'wx' });
      added += countOf(text.split('\n'));
      continue;
    }
    const lines = text.split('\n');
    await writeFile(file, patched(await readFile(file, 'utf8'), lines, `line ${line}, ${path}`));
    added += countOf(lines.filter((one) => one.startsWith('+')).map((one) => one.slice(1)));
  }
  return added;
}

/** The file that a block is about, or null. */
function fileOf(info: readonly string[]): string | null {
  return info.find((word) => word.startsWith('file='))?.slice('file='.length) ?? null;
}

/** Whether a block is about the application that a reader has, and not about this repository. */
export function isOfApplication({ info }: Block): boolean {
  return fileOf(info) !== null || info.includes('application');
}

function countOf(lines: readonly string[]): number {
  return lines.filter((line) => line.trim() !== '').length;
}

/** Hunks are separated by a line `…`; the lines of each stand together in the file, and only once. */
function patched(before: string, diff: readonly string[], where: string): string {
  let text = before;
  for (const hunk of split(diff)) {
    const old = hunk.filter((line) => !line.startsWith('+')).map((line) => line.slice(1));
    const next = hunk.filter((line) => !line.startsWith('-')).map((line) => line.slice(1));
    const found = text.split(`${old.join('\n')}\n`).length - 1;
    if (found !== 1) throw new Error(`${where}: found ${found} times, not once:\n${old.join('\n')}`);
    text = text.replace(`${old.join('\n')}\n`, () => `${next.join('\n')}\n`);
  }
  return text;
}

function split(lines: readonly string[]): readonly (readonly string[])[] {
  const hunks: string[][] = [[]];
  for (const line of lines) {
    if (line.trim() === '…') hunks.push([]);
    else hunks.at(-1)?.push(line);
  }
  return hunks;
}
