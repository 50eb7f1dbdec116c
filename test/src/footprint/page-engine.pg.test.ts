import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createClient } from '@sluice/client';
import { CHUNK_NAMES } from '@sluice/core/chunks/chunk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { splitForBrowser, type SplitFile } from '../kit/bundle.js';
import { DemoProcess } from '../tracker/demo-process.js';
import { QUERIES } from '../tracker/every-query.js';

// What a page loads of core to keep all queries of the tracker: what the client uses of it, the kernel of the engine,
// and the chunks that their plans name.

const BYTES_MAX = 30_000;
const core = dirname(dirname(createRequire(import.meta.url).resolve('@sluice/core/chunks/load')));

let folder: string;
let demo: DemoProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-page-engine-'));
  await chmod(folder, 0o755);
  demo = await DemoProcess.start({ PORT: '0', TRACKER_ISSUES: '300', TRACKER_FOLDER: folder });
});
afterAll(async () => {
  await demo?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The names in the plans of all queries of the tracker. */
async function named(): Promise<ReadonlySet<string>> {
  const { client } = createClient({ url: demo.url });
  try {
    const explained = await Promise.all(QUERIES.map(([query, args]) => client.explain({ query, args })));
    expect(explained.map(({ gear }) => gear)).toEqual(QUERIES.map(() => 'incremental'));
    return new Set(explained.flatMap(({ chunks }) => chunks));
  } finally {
    client.close();
  }
}

/** The module that a chunk begins with. */
function moduleOf(chunk: string): string {
  const own = join(core, 'chunks', `${chunk}.js`);
  return existsSync(own) ? own : join(core, 'expression', `${chunk}.js`);
}

/** A file, and what is loaded with it. */
function loadedWith(files: ReadonlyMap<string, SplitFile>, first: string): ReadonlySet<string> {
  const loaded = new Set([first]);
  for (const name of loaded) for (const further of files.get(name)?.imports ?? []) loaded.add(further);
  return loaded;
}

function fileOf(files: ReadonlyMap<string, SplitFile>, module: string): string {
  for (const [name, { modules }] of files) if (modules.includes(module)) return name;
  throw new Error(`assertion failed: ${module} is in the bundle`);
}

const SOURCE = [
  ['createClient', createRequire(import.meta.url).resolve('@sluice/client')],
  ['FlowEngine', join(core, 'flow', 'flow-engine.js')],
  ['TableEngine', join(core, 'engine', 'table-engine.js')],
  ['loadChunks', join(core, 'chunks', 'load.js')],
]
  .map(([name, module]) => `export { ${name} } from ${JSON.stringify(module)};`)
  .join('\n');

/** The bundle of a page, in which what it loads of core at once is one file, apart from the client. */
async function page(): Promise<ReadonlyMap<string, SplitFile>> {
  const files = await splitForBrowser(SOURCE);
  const modules = [...loadedWith(files, first(files))].flatMap((name) => files.get(name)?.modules ?? []);
  return splitForBrowser(SOURCE, new Set(modules.filter((module) => module.startsWith(core))));
}

function first(files: ReadonlyMap<string, SplitFile>): string {
  for (const name of files.keys()) return name;
  throw new Error('assertion failed: there is a bundle');
}

test('of core a page loads at most 30 kB for all queries of the tracker, and no chunk that no plan names', async () => {
  const names = await named();
  const files = await page();
  const isCore = (name: string): boolean =>
    files.get(name)?.modules.some((module) => module.startsWith(core)) === true;
  const kernel = [...loadedWith(files, first(files))].filter(isCore);
  const wanted = [...names].flatMap((name) => [...loadedWith(files, fileOf(files, moduleOf(name)))]);
  const loaded = new Set([...kernel, ...wanted.filter(isCore)]);
  const bytesOf = (some: Iterable<string>): number =>
    [...some].reduce((sum, name) => sum + gzipSync(files.get(name)?.code ?? '').length, 0);
  console.log(`kernel: ${bytesOf(kernel)} bytes gzipped; with ${[...names].join(', ')}: ${bytesOf(loaded)}`);
  expect(bytesOf(loaded)).toBeLessThanOrEqual(BYTES_MAX);

  const modules = [...loaded].flatMap((name) => files.get(name)?.modules ?? []);
  expect(modules.filter((module) => !module.startsWith(core) && !module.includes('rolldown'))).toEqual([]);
  for (const module of ['wire', 'flow/block-engine', 'engine/table-engine'])
    expect(modules).toContain(join(core, `${module}.js`));
  const brought = CHUNK_NAMES.filter((name) => modules.includes(moduleOf(name)));
  expect(brought).toEqual(CHUNK_NAMES.filter((name) => names.has(name)));
  expect(brought.length).toBeLessThan(CHUNK_NAMES.length / 2);
});
