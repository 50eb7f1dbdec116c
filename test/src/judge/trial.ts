import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { withClient } from '@sluice/server/testing/postgres';
import { Product } from '../kit/product.js';
import { TcpProxy } from '../kit/tcp-proxy.js';
import { diffOf } from './answer.js';
import { Chaos } from './chaos.js';
import { Corpus, WHOLE } from './corpus.js';
import { Court } from './court.js';
import type { TrialOptions } from './options.js';
import { PythonWatcher } from './python-watcher.js';
import { Reaches } from './reaches.js';
import type { Report } from './report.js';
import { ask, PINNED } from './shadow.js';
import { Watcher } from './watcher.js';
import { schemaSession, Writers } from './writers.js';

const PROGRESS_MS = 10_000;
/** How much longer a run takes at most when it has not seen all yet that it is for. */
const COMPLETE_TIMEOUT_MS = 150_000;
/** After so much of that the schema is made whole and stays so: a column that is not there refuses every query of it. */
const ALTERING_MS = 20_000;
/** How long clients have to arrive when all is quiet. */
const ARRIVE_TIMEOUT_MS = 120_000;

/** A judged run from beginning to end: product, clients, writers, disturbances, verdict. */
export async function runTrial(options: TrialOptions): Promise<Report> {
  await mkdir(options.folder, { recursive: true });
  const court = await Court.open({
    seed: options.seed,
    corpus: new Corpus(WHOLE),
    eventTrigger: options.eventTrigger,
    durable: options.chaos.some((name) => name.startsWith('postgres')),
    ...(options.postgres === undefined ? {} : { major: options.postgres }),
  });
  const trial = new Trial(options, court);
  try {
    return await trial.run();
  } finally {
    await trial.end();
    await court.close();
  }
}

class Trial {
  readonly #options: TrialOptions;
  readonly #court: Court;
  readonly #failures = new Set<string>();
  readonly #products: Product[] = [];
  readonly #proxies: TcpProxy[] = [];
  readonly #watchers: Watcher[] = [];
  readonly #reaches: Reaches;
  #python: PythonWatcher | null = null;
  #disturbance: Chaos | null = null;
  #disturbed = 0;

  constructor(options: TrialOptions, court: Court) {
    this.#options = options;
    this.#court = court;
    this.#reaches = new Reaches((sinceMs) => this.#disturbance?.disturbedSince(sinceMs) ?? false);
    court.listeners.push((transaction) => this.#reaches.transaction(transaction));
  }

  async run(): Promise<Report> {
    const { print, seconds } = this.#options;
    const began = Date.now();
    const { databaseProxy, clientProxy } = await this.#startProducts();
    const url = `http://127.0.0.1:${clientProxy.port}`;
    this.#seat(url);
    const writers = this.#writers();
    const chaos = this.#chaos(databaseProxy, clientProxy);
    this.#disturbance = chaos;
    this.#court.judge.writing = true;
    writers.start();
    chaos.start();
    const progress = setInterval(() => print(this.#progress(began)), PROGRESS_MS);
    try {
      await this.#wait(seconds * 1000);
      await chaos.stop();
      await this.#complete(writers);
      await writers.stop();
      this.#court.judge.writing = false;
      await this.#arrive();
      await this.#reaches.answered();
      await this.#settled();
      for (const failure of await this.#court.verdict()) this.#failures.add(failure);
      for (const wrong of this.#reaches.verdict()) this.#failures.add(wrong);
    } finally {
      clearInterval(progress);
      await chaos.stop().catch(() => undefined);
      await writers.stop();
    }
    await this.#farewell();
    return this.#report(began, writers, chaos);
  }

  /** Ends what is left, also after a failure. */
  async end(): Promise<void> {
    this.#python?.stop();
    await Promise.all(this.#watchers.map((watcher) => watcher.close()));
    await Promise.all(this.#products.map((product) => product.kill()));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  async #startProducts(): Promise<{ readonly databaseProxy: TcpProxy; readonly clientProxy: TcpProxy }> {
    const { servers, slot, threads, folder } = this.#options;
    const databaseProxy = await TcpProxy.listen(() => ({
      host: '127.0.0.1',
      port: this.#court.primary.port,
    }));
    this.#proxies.push(databaseProxy);
    const databaseUrl = new URL(this.#court.database.url);
    databaseUrl.port = String(databaseProxy.port);
    const config = join(folder, 'sluice.config.json');
    await writeFile(config, JSON.stringify({ queries: this.#court.corpus.named }));
    const args = [
      '--config',
      config,
      '--slot-mode',
      slot,
      '--keep-ms',
      '2000',
      ...(threads ? ['--views-thread'] : []),
    ];
    for (let i = 0; i < servers; i++) {
      this.#products.push(
        await Product.start({
          databaseUrl: databaseUrl.toString(),
          log: join(folder, `server-${i}.log`),
          args,
        }),
      );
    }
    let turn = 0;
    const clientProxy = await TcpProxy.listen(() => {
      const running = this.#products.filter((product) => product.serving);
      const product = running[turn++ % Math.max(1, running.length)];
      return product ? { host: '127.0.0.1', port: product.port } : null;
    });
    this.#proxies.push(clientProxy);
    return { databaseProxy, clientProxy };
  }

  #seat(url: string): void {
    const { clients, views, churnMsMax, python, faults } = this.#options;
    const { judge, corpus, random } = this.#court;
    const names = [...Array.from({ length: clients }, (_, i) => `client-${i}`), ...Object.keys(faults)];
    for (const [place, name] of names.entries()) {
      const tamper = faults[name]?.();
      this.#watchers.push(
        new Watcher({
          name,
          url,
          judge,
          corpus,
          views,
          churnMsMax,
          place,
          wire: this.#options.wire ? join(this.#options.folder, `${name}.wire`) : null,
          random: random.fork(name),
          ...(tamper ? { tamper } : {}),
        }),
      );
    }
    if (python)
      this.#python = PythonWatcher.start({
        name: 'python',
        url,
        judge,
        corpus,
        random: random.fork('python'),
        views,
      });
  }

  #writers(): Writers {
    const { writers, writerPauseMsMax } = this.#options;
    const { random } = this.#court;
    const drawn = random.fork('tokens');
    // Who is shown wrong rows on purpose has nothing to say about tokens.
    const honest = this.#watchers.filter(({ name }) => !(name in this.#options.faults));
    return new Writers({
      url: this.#court.database.adminUrl,
      random: random.fork('writers'),
      token: (token, outcome) => this.#reaches.hand(drawn.pick(honest), token, outcome),
      steps: this.#court.corpus.steps,
      schemaSteps: this.#court.corpus.schemaSteps,
      schemaPauseMs: this.#options.schemaPauseMs,
      sessions: writers,
      pauseMsMax: writerPauseMsMax,
      failed: (message) => this.#failures.add(`a write failed: ${message}`),
      disturbed: () => this.#disturbed > 0,
    });
  }

  #chaos(databaseProxy: TcpProxy, clientProxy: TcpProxy): Chaos {
    const { chaos, chaosPauseMs, print } = this.#options;
    const { primary, database, random } = this.#court;
    return new Chaos(
      {
        primary,
        database,
        databaseProxy,
        clientProxy,
        products: this.#products,
        random: random.fork('chaos'),
        disturbing: async (work) => {
          this.#disturbed++;
          await work();
          // A writer may find its broken connection a moment later.
          setTimeout(() => this.#disturbed--, 2000);
        },
      },
      chaos,
      chaosPauseMs,
      (name) => print(`chaos: ${name}`),
    );
  }

  /** Until the time is over, or the judge itself has failed. */
  async #wait(ms: number): Promise<void> {
    await Promise.race([sleep(ms), this.#court.judge.ended]);
  }

  /** Each query is compared while writers run, however short the run: what is missing is drawn until it was. */
  async #complete(writers: Writers): Promise<void> {
    const { judge, corpus } = this.#court;
    const { enough = () => true } = this.#options;
    const isOver = (deadline: number): boolean =>
      Date.now() >= deadline ||
      (corpus.missing(judge.compared).length === 0 && enough(judge.counts, this.#reaches.counts));
    const began = Date.now();
    while (!isOver(began + ALTERING_MS)) await this.#wait(100);
    if (isOver(began + COMPLETE_TIMEOUT_MS)) return;
    await writers.stopAltering();
    await this.#endSchema();
    while (!isOver(began + COMPLETE_TIMEOUT_MS)) await this.#wait(100);
  }

  /** All is quiet: everybody must get to the end of the log. */
  async #arrive(): Promise<void> {
    await Promise.all(this.#watchers.map((watcher) => watcher.settle()));
    await this.#endSchema();
    // Changes a view that the Python client watches, so that it is told of a commit past this point.
    const beforeLast = await this.#court.end();
    await this.#court.database.sql('INSERT INTO transfer (from_id, to_id, amount) VALUES (1, 1, 0)');
    const end = await this.#court.end();
    const nudging = setInterval(() => void this.#court.nudge().catch(() => undefined), 1000);
    try {
      const arrivals = this.#watchers.map(async (watcher) => {
        const missing = await watcher.arrive(end, ARRIVE_TIMEOUT_MS);
        if (missing !== null) this.#failures.add(`${watcher.name} did not arrive at ${end}: ${missing}`);
      });
      if (this.#python)
        arrivals.push(
          this.#python.pass(beforeLast, ARRIVE_TIMEOUT_MS, (failure) => this.#failures.add(failure)),
        );
      await Promise.all(arrivals);
    } finally {
      clearInterval(nudging);
    }
  }

  async #endSchema(): Promise<void> {
    const { corpus, database, random } = this.#court;
    await withClient(database.adminUrl, async (client) => {
      for (const run of corpus.schemaEnds) {
        await client.query('BEGIN');
        await run(schemaSession(client), random);
        await client.query('COMMIT');
      }
    });
  }

  /** What is on the screens now must be what the primary itself answers now. */
  async #settled(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#court.database.adminUrl,
      types: { getTypeParser: () => String },
    });
    await client.connect();
    try {
      await client.query(PINNED);
      for (const watcher of this.#watchers) {
        for (const { bound, status, answer } of watcher.screen()) {
          if (bound.query.clock) continue; // time has moved since
          const truth = await ask(client, bound);
          if (answer?.digest === truth.digest) continue;
          const detail = answer === null ? status : diffOf(truth, answer).join('\n    ');
          this.#failures.add(
            `settled, ${watcher.name} differs from the primary in ${bound.key} (${status}): ${detail}`,
          );
        }
        for (const refusal of watcher.refusals) this.#failures.add(refusal);
      }
    } finally {
      await client.end();
    }
  }

  /** Goes as a user would, and looks at what is left. */
  async #farewell(): Promise<void> {
    await Promise.all(this.#watchers.map((watcher) => watcher.close()));
    this.#python?.stop();
    for (const product of this.#products) {
      await product.stop();
      if (product.crash !== null) this.#failures.add(product.crash);
    }
    if (this.#options.slot === 'permanent') return;
    const { rows } = await this.#court.database.sql(
      `SELECT slot_name FROM pg_replication_slots WHERE slot_name NOT LIKE 'judge%'`,
    );
    if (rows.length > 0) this.#failures.add(`slots are left: ${JSON.stringify(rows)}`);
  }

  #progress(began: number): string {
    const { moves, unsettled, comparisons, wrong, unjudged } = this.#court.judge.counts;
    const seconds = Math.round((Date.now() - began) / 1000);
    return `${seconds} s: ${moves} moves (${unsettled} unsettled), ${comparisons} comparisons, ${wrong} wrong, ${unjudged} unjudged; ${this.#court.judge.state()}`;
  }

  async #report(began: number, writers: Writers, chaos: Chaos): Promise<Report> {
    const { judge, corpus } = this.#court;
    const report: Report = {
      ...judge.counts,
      seed: this.#options.seed,
      seconds: Math.round((Date.now() - began) / 1000),
      eventTrigger: this.#options.eventTrigger,
      postgres: await this.#court.version(),
      wrongBy: judge.wrongBy,
      wrongs: judge.wrongs,
      failures: [...this.#failures, ...judge.late],
      tokens: this.#reaches.counts,
      chaos: chaos.counts,
      gears: judge.gears,
      uncompared: corpus.missing(judge.compared).map(({ id }) => id),
      steps: writers.counts,
    };
    await writeFile(join(this.#options.folder, 'report.json'), JSON.stringify(report, null, 2));
    return report;
  }
}
