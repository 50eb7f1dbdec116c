/**
 * What a change costs the server as bindings grow (P7), from the bytes of the replication socket to the encoded deltas
 * that sessions are handed; what a binding holds in memory; how long a thousand bindings take to hydrate.
 *
 *   npm run bench:cost [-- SIZES [TEMPLATES]]       (default: 1,100,10000,100000, and all of cost-templates.ts)
 *
 * Method: for each template and size a process of its own (`cost-bed.ts`) runs source and views over a database of its
 * own, with as many projects and persons as bindings and the same number of issues in each. The rounds of all sizes are interleaved,
 * so that a noisy moment touches all of them; the first is not counted. In a round CHANGES transactions of one row each
 * are committed by Postgres itself, spread evenly over all bindings, and the processor time of the process (all of its
 * threads: the collector of garbage is among them) is measured until the last delta is out. Checked outside the timed
 * part: how many views were told something, and that all operations together are those of one binding a change.
 * Reported: the median over ROUNDS of µs of processor time a change, the spread, changes a second of one core, the ratio
 * to 100 bindings; what a binding holds (heap and buffers after a collection, less what there was before).
 */
import { fork, type ChildProcess } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { must } from '@sluice/core/assert';
import { startTestPostgres } from '@sluice/server/testing/postgres';
import type { BedOptions, FromBed, ToBed } from './cost-bed.js';
import { TEMPLATES } from './cost-templates.js';
import { median, ranging, ratio } from './statistics.js';

const SIZES = (process.argv[2] ?? '1,100,10000,100000').split(',').map(Number);
const NAMES = process.argv[3]?.split(',') ?? Object.keys(TEMPLATES);
const CHANGES = 10_000;
const ROUNDS = 9;
const SAME = 100;
const HYDRATED = 1_000;
const HYDRATIONS = 5;

interface Bed {
  readonly bindings: number;
  readonly child: ChildProcess;
  readonly ready: Extract<FromBed, { kind: 'ready' }>;
  readonly same: number[];
  readonly spread: number[];
}

const server = await startTestPostgres({ settings: { shared_buffers: '1GB' } });
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, Postgres 18`,
);
for (const name of NAMES) {
  const beds: Bed[] = [];
  for (const bindings of SIZES) beds.push(await makeBed(name, bindings));
  for (let round = 0; round <= ROUNDS; round++)
    for (const bed of beds) {
      const same = await run(bed, Math.min(bed.bindings, SAME));
      const spread = await run(bed, bed.bindings);
      if (round === 0) continue;
      bed.same.push(same);
      bed.spread.push(spread);
    }
  report(name, beds);
  for (const { child } of beds) await ask(child, { kind: 'stop' }, 'stopped');
  await hydration(name);
}
await server.destroy();

async function run({ child }: Bed, touched: number): Promise<number> {
  return (await ask(child, { kind: 'run', changes: CHANGES, touched }, 'ran')).microseconds;
}

async function makeBed(template: string, bindings: number): Promise<Bed> {
  const options: BedOptions = { url: server.url(), template, bindings };
  const child = fork(fileURLToPath(new URL('cost-bed.js', import.meta.url)), [JSON.stringify(options)], {
    // A young generation as the thread of the source side has it, and as docs/operations.md advises.
    execArgv: ['--expose-gc', '--max-old-space-size=10000', '--max-semi-space-size=64', ...process.execArgv],
  });
  return { bindings, child, ready: await heard(child, 'ready'), same: [], spread: [] };
}

/** The same views opened again and again, each time by a process that holds nothing yet. */
async function hydration(name: string): Promise<void> {
  const ms: number[] = [];
  for (let round = 0; round < HYDRATIONS; round++) {
    const { child, ready } = await makeBed(name, HYDRATED);
    ms.push(ready.hydrationMs);
    await ask(child, { kind: 'stop' }, 'stopped');
    if (round === HYDRATIONS - 1)
      console.log(`hydration of ${HYDRATED}: ${ranging(ms, 0)} ms, ${ready.statements} readings`);
  }
}

function ask<K extends FromBed['kind']>(child: ChildProcess, message: ToBed, kind: K): Promise<Said<K>> {
  child.send(message);
  return heard(child, kind);
}

type Said<K> = Extract<FromBed, { kind: K }>;

function heard<K extends FromBed['kind']>(child: ChildProcess, kind: K): Promise<Said<K>> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`a bed ended with ${code}`));
    child.once('exit', gone);
    child.once('message', (message: FromBed) => {
      child.off('exit', gone);
      if (message.kind === kind) resolve(message as Said<K>);
      else reject(new Error(`${message.kind} instead of ${kind}`));
    });
  });
}

/** ns to find a row in a `Map` of `rows` and to put another in its place, spread over all of them. */
function rawNs(rows: number): number {
  const map = new Map<string, { readonly key: string; readonly values: readonly (string | null)[] }>();
  const row = (n: number, title: string): void =>
    void map.set(`k${n}`, { key: `k${n}`, values: [String(n), title] });
  for (let n = 0; n < rows; n++) row(n, `issue ${n}`);
  const ns: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let n = 0; n < CHANGES; n++) {
      const at = ((round * CHANGES + n) * 7919) % rows;
      if (map.get(`k${at}`)?.values[0] !== String(at)) throw new Error('another row than was put there');
      row(at, `v${n}`);
    }
    ns.push(Number(process.hrtime.bigint() - start) / CHANGES);
  }
  return median(ns);
}

function report(name: string, beds: readonly Bed[]): void {
  const base = must(beds.find(({ bindings }) => bindings === 100) ?? beds[0], 'a size');
  const rows = TEMPLATES[name]?.rows ?? 1;
  console.log(`\n${name}   (load average ${loadavg()[0]?.toFixed(1)})`);
  console.log(
    '  bindings   same, µs/change       ratio   spread, µs/change     ratio  changes/s  raw, ns  bytes/binding  opened in ms',
  );
  for (const { bindings, same, spread, ready } of beds)
    console.log(
      [
        String(bindings).padStart(10),
        ranging(same, 1).padEnd(20).padStart(22),
        ratio(same, base.same).padStart(6),
        ranging(spread, 1).padEnd(20).padStart(22),
        ratio(spread, base.spread).padStart(6),
        String(Math.round(1_000_000 / median(spread))).padStart(10),
        rawNs(bindings * rows)
          .toFixed(0)
          .padStart(8),
        String(Math.round(ready.bytesPerBinding)).padStart(14),
        ready.hydrationMs.toFixed(0).padStart(13),
      ].join(' '),
    );
}
