/**
 * What a change costs the whole server as bindings grow (P7): from the replication stream to the sockets of clients, each
 * of which is told of each of its changes by itself.
 *
 *   npm run bench:delivered [-- SIZES [TEMPLATES]]       (default: 1,100,10000,100000, and all of cost-templates.ts)
 *
 * Method: for each template and size `sluice start` in a process of its own, as docs/operations.md advises for many views,
 * over a database of its own (`cost-templates.ts`). CONNECTIONS sockets share the bindings evenly, or each has one. Changes
 * come in waves: WAVE transactions of one row each, no two of one binding, spread evenly over all; the next wave is
 * committed when the last has been received. So nothing is folded, whatever the size: as many deltas and moves are sent.
 * The processor time of the server's process, all of its threads and what the kernel does for it, is read before and after
 * a round of CHANGES, in nanoseconds. A round is long enough to have the collector in it: of the young several times, of all
 * that is held once with 100 bindings. With 100,000 that comes once in half a million changes: it is in the mean. Rounds of
 * all sizes are interleaved, so that what the machine does beside it falls on all alike; the first WARM are not counted.
 * All that is done TIMES, with servers of their own, one after the other: where things happen to lie in one process is worth
 * more than the sizes differ by. Checked for each wave: that as many views were told as there were changes, and by as many
 * operations as these come to.
 * Reported: the median over ROUNDS and TIMES of µs of processor time a change, the spread, and the ratio to 100
 * bindings; the mean of all; and the means of the servers, each by itself.
 */
import { readdir, readFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { once } from 'node:events';
import { must } from '@sluice/core/assert';
import type { Delta, ServerMessage } from '@sluice/core/wire';
import { createTestDatabase, startTestPostgres, type TestDatabase } from '@sluice/server/testing/postgres';
import { Served } from '@sluice/server/testing/served';
import { WebSocket } from 'ws';
import { TEMPLATES, tablesOf, writesOf, type Template } from './cost-templates.js';
import { mean, median, ranging, ratio } from './statistics.js';

const SIZES = (process.argv[2] ?? '1,100,10000,100000').split(',').map(Number);
const NAMES = process.argv[3]?.split(',') ?? Object.keys(TEMPLATES);
const CONNECTIONS = 100;
const WAVE = 100;
const CHANGES = 10_000;
const TIMES = 3;
const ROUNDS = 15;
const WARM = 3;

const LIMITS = {
  SLUICE_LIMITS_VIEWS_MAX: '1000000',
  SLUICE_LIMITS_SUBSCRIPTIONS_MAX: '10000',
  SLUICE_LIMITS_SUBSCRIPTIONS_PER_PRINCIPAL_MAX: '1000000',
  SLUICE_LIMITS_MESSAGES_BURST: '100000',
  SLUICE_LIMITS_HELD_BYTES_MAX: String(8 * 2 ** 30),
};

class Bed {
  readonly bindings: number;
  readonly microseconds: number[] = [];
  readonly #template: Template;
  readonly #database: TestDatabase;
  readonly #served: Served;
  readonly #wave: number;
  #sockets: WebSocket[] = [];
  #valid = 0;
  #told: Delta[] = [];
  #done = 0;
  #look: () => void = () => undefined;

  private constructor(template: Template, bindings: number, database: TestDatabase, served: Served) {
    this.#template = template;
    this.bindings = bindings;
    this.#database = database;
    this.#served = served;
    this.#wave = Math.min(WAVE, bindings);
  }

  static async make(template: Template, bindings: number): Promise<Bed> {
    const database = await createTestDatabase(server, tablesOf(bindings, template.rows));
    const served = await Served.run(['start', '--allow-sql'], {
      DATABASE_URL: database.url,
      NODE_OPTIONS: '--max-semi-space-size=64 --max-old-space-size=10000',
      GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
      ...LIMITS,
    });
    const bed = new Bed(template, bindings, database, served);
    await bed.#open(await served.ready());
    return bed;
  }

  async run(): Promise<number> {
    const changes = Math.min(CHANGES, this.#wave * 100);
    const before = await this.#used();
    for (let n = 0; n < changes; n += this.#wave) await this.#send();
    return ((await this.#used()) - before) / 1000 / changes;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.#served.stop();
    await this.#database.drop();
  }

  async #open(url: string): Promise<void> {
    const count = Math.min(CONNECTIONS, this.bindings);
    for (let n = 0; n < count; n++) {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
      this.#sockets.push(socket);
      await once(socket, 'open');
      socket.on('message', (data) => this.#hear(JSON.parse(String(data)) as ServerMessage));
      const say = (message: object): void => socket.send(JSON.stringify(message));
      say({ kind: 'hello', versions: [1], edits: true });
      for (let id = n; id < this.bindings; id += count)
        say({ kind: 'subscribe', id, sql: this.#template.sql, params: [String(id)] });
    }
    await this.#until(() => this.#valid === this.bindings);
  }

  #hear(message: ServerMessage): void {
    if (message.kind === 'error') throw new Error(message.error.message);
    if (message.kind === 'subscribed' && message.gear !== 'incremental')
      throw new Error('a view is run again');
    if (message.kind === 'rows') this.#valid++;
    if (message.kind === 'delta') this.#told.push(message);
    this.#look();
  }

  async #send(): Promise<void> {
    const { bindings } = this;
    this.#told = [];
    const writes = { bindings, touched: bindings, from: this.#done, changes: this.#wave };
    await this.#database.sql(writesOf(this.#template, writes));
    this.#done += this.#wave;
    await this.#until(() => this.#told.length >= this.#wave);
    const views = new Set(this.#told.map(({ view }) => view)).size;
    const operations = this.#told.reduce((sum, { ops }) => sum + ops.length, 0);
    if (views !== this.#wave || operations !== this.#wave * this.#template.altered)
      throw new Error(`${operations} operations on ${views} views for ${this.#wave} changes`);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#look = resolve));
  }

  /** Nanoseconds of processor time that the server has taken, as the scheduler counts them for its threads. */
  async #used(): Promise<number> {
    const threads = `/proc/${this.#served.pid}/task`;
    let used = 0;
    for (const thread of await readdir(threads)) {
      const [ran] = (await readFile(`${threads}/${thread}/schedstat`, 'utf8')).split(' ');
      used += Number(ran);
    }
    return used;
  }
}

const server = await startTestPostgres({ settings: { shared_buffers: '1GB' } });
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, Postgres 18`,
);
for (const name of NAMES) {
  const template = must(TEMPLATES[name], 'a template');
  const beds: Bed[] = [];
  for (let n = 0; n < TIMES; n++) beds.push(...(await measured(template)));
  report(name, beds);
}
await server.destroy();

/** One server of each size. */
async function measured(template: Template): Promise<readonly Bed[]> {
  const beds: Bed[] = [];
  for (const bindings of SIZES) beds.push(await Bed.make(template, bindings));
  for (let round = -WARM; round < ROUNDS; round++)
    for (const bed of beds) {
      const microseconds = await bed.run();
      if (round >= 0) bed.microseconds.push(microseconds);
    }
  for (const bed of beds) await bed.stop();
  return beds;
}

function report(name: string, beds: readonly Bed[]): void {
  const ofSize = (size: number): readonly number[][] =>
    beds.flatMap(({ bindings, microseconds }) => (bindings === size ? [microseconds] : []));
  const base = ofSize(SIZES.includes(100) ? 100 : must(SIZES[0], 'a size')).flat();
  console.log(`\n${name}   (load average ${loadavg()[0]?.toFixed(1)})`);
  console.log('  bindings   µs/change             ratio  changes/s   mean  ratio   each server');
  for (const bindings of SIZES) {
    const servers = ofSize(bindings);
    const all = servers.flat();
    console.log(
      [
        String(bindings).padStart(10),
        ranging(all, 1).padEnd(20).padStart(22),
        ratio(all, base).padStart(6),
        String(Math.round(1_000_000 / median(all))).padStart(10),
        mean(all).toFixed(1).padStart(6),
        (mean(all) / mean(base)).toFixed(2).padStart(6),
        `  ${servers.map((one) => mean(one).toFixed(1)).join(', ')}`,
      ].join(' '),
    );
  }
}
