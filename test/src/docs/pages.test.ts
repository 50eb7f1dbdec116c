import { execFile } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { blocksOf } from './blocks.js';
import { PAGES, untested } from './pages.js';
import { programsOf } from './runnable.js';

const root = join(dirname(createRequire(import.meta.url).resolve('@sluice/client')), '..', '..', '..');
const read = (page: string): Promise<string> => readFile(join(root, page), 'utf8');
const markdownIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(join(root, folder)))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

test('every page is known, and every block of it is of a kind that a test takes', async () => {
  expect(Object.keys(PAGES).sort()).toEqual(['README.md', ...(await markdownIn('docs'))].sort());
  for (const [page, kinds] of Object.entries(PAGES)) {
    const left = untested(kinds, await read(page));
    expect(left.map(({ line, info }) => `${page}:${line} ${info.join(' ')}`)).toEqual([]);
  }
});

test('a block of an unknown kind, and the output of nothing, are found', () => {
  const page = [
    '```text output',
    '```',
    '```js',
    '```',
    '```js runnable',
    '```',
    '```text output',
    '```',
  ].join('\n');
  expect(untested([/^js runnable$/, /^text output$/], page).map(({ line }) => line)).toEqual([1, 3]);
});

test('every link leads somewhere', async () => {
  const pages = ['README.md', ...(await markdownIn('docs')), ...(await markdownIn('docs/decisions'))];
  const broken: string[] = [];
  for (const page of pages) {
    const text = (await read(page)).replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (!/^[a-z]+:/.test(link) && !(await leads(page, link))) broken.push(`${page}: ${link}`);
    }
  }
  expect(broken).toEqual([]);
});

async function leads(page: string, link: string): Promise<boolean> {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  const exists = await access(join(root, target)).then(
    () => true,
    () => false,
  );
  if (!exists || anchor === undefined) return exists;
  const headings = [...(await read(target)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
  return headings.includes(anchor);
}

/** As GitHub makes anchors of headings. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

test('docs/architecture.md names paths that are there, and every part of the server', async () => {
  const page = await read('docs/architecture.md');
  const named = [...page.matchAll(/`((?:packages|test|bench|docs|examples)\/[\w./-]*)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.length).toBeGreaterThan(8);
  for (const path of named) await access(join(root, path));
  const parts = (await readdir(join(root, 'packages/server/src'), { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  expect(parts.filter(({ name }) => !page.includes(name)).map(({ name }) => name)).toEqual([]);
});

test('the examples of event streams in docs/protocol.md are events, with JSON for data', async () => {
  const examples = blocksOf(await read('docs/protocol.md')).filter(({ info }) => info.includes('events'));
  expect(examples.length).toBeGreaterThan(2);
  for (const { text } of examples) {
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const [, field = '', value = ''] = /^(event|id|retry|data): (.+)$/.exec(line) ?? expect.fail(line);
      if (field === 'event') expect(['rows', 'failure', 'goaway']).toContain(value);
      if (field === 'id') expect(value).toMatch(/^\d+\.\d+:[0-9A-F]+\/[0-9A-F]+$/);
      if (field === 'data') expect(JSON.parse(value)).toBeTypeOf('object');
    }
  }
});

test('the TypeScript of the pages compiles, strictly', async () => {
  const folder = await mkdtemp(join(root, 'test', '.docs-'));
  try {
    const files: string[] = [];
    for (const page of Object.keys(PAGES)) {
      for (const { line, code } of programsOf(await read(page)).filter(({ language }) => language === 'ts')) {
        const file = join(folder, `${page.replaceAll(/\W/g, '-')}-line-${line}.ts`);
        await writeFile(file, code);
        files.push(file);
      }
    }
    expect(files.length).toBeGreaterThan(5);
    const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--types', 'node'];
    const target = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom'];
    const compiler = join(root, 'node_modules', '.bin', 'tsc');
    await promisify(execFile)(compiler, [...options, ...target, ...files], { cwd: folder }).catch(
      (error: unknown) =>
        expect.fail(error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
