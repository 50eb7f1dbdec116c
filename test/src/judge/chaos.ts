import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDatabase, TestPostgres } from '@sluice/server/testing/postgres';
import type { Product } from '../kit/product.js';
import type { Random } from '../kit/random.js';
import type { TcpProxy } from '../kit/tcp-proxy.js';

/** What a disturbance may lay hands on. */
export interface Scene {
  readonly primary: TestPostgres;
  readonly database: TestDatabase;
  /** A disturbance may put another in the place of one. */
  readonly products: Product[];
  /** Between the product and Postgres. */
  readonly databaseProxy: TcpProxy;
  /** Between the clients and the product. */
  readonly clientProxy: TcpProxy;
  readonly random: Random;
  /** Postgres goes away on purpose: writers' connections may break. */
  disturbing(work: () => Promise<void>): Promise<void>;
}

export const DISTURBANCES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'server-kill': async ({ products, random }: Scene) => {
    const product = random.pick(products);
    await product.kill();
    await sleep(random.int(500));
    await product.start();
  },
  'server-restart': async ({ products, random }: Scene) => {
    const product = random.pick(products);
    await product.stop();
    await product.start();
  },
  /** As a deployment does: the next server is ready before the one that it replaces goes, one after the other. */
  'rolling-restart': async ({ products }: Scene) => {
    for (const [at, old] of products.entries()) {
      const next = await old.successor();
      products[at] = next;
      const { status, body } = await next.get('/sluice/readyz');
      if (status !== 200) throw new Error(`printed ready, but /readyz says ${status}: ${body}`);
      await old.stop();
      if (old.crash !== null) throw new Error(old.crash);
    }
  },
  'postgres-restart': (scene: Scene) =>
    scene.disturbing(async () => {
      await scene.primary.stop('immediate');
      await sleep(scene.random.int(1000));
      await scene.primary.start();
    }),
  'postgres-kill': (scene: Scene) =>
    scene.disturbing(async () => {
      await scene.primary.kill();
      await startAgain(scene.primary);
    }),
  'walsender-end': ({ database }: Scene) => endWalsenders(database),
  /** A permanent slot is gone for good; a temporary one goes with its connection anyway. */
  'slot-drop': async ({ database }: Scene) => {
    await endWalsenders(database);
    await database
      .sql(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
         WHERE NOT active AND slot_name NOT LIKE 'judge%'`,
      )
      .catch(() => undefined); // it was taken again first: try at the next turn
  },
  'database-stall': async ({ databaseProxy, random }: Scene) => {
    databaseProxy.stall();
    await sleep(random.between(500, 4000));
    databaseProxy.resume();
  },
  'database-cut': async ({ databaseProxy }: Scene) => databaseProxy.cut(),
  'client-stall': async ({ clientProxy, random }: Scene) => {
    clientProxy.stall();
    await sleep(random.between(200, 3000));
    clientProxy.resume();
  },
  'client-cut': async ({ clientProxy }: Scene) => clientProxy.cut(),
  'slow-client': async ({ clientProxy, random }: Scene) => {
    const resume = clientProxy.stallOne((count) => random.int(count));
    await sleep(random.between(1000, 8000));
    resume();
  },
  /** Commits stream before anybody can see them, for as long as a standby that does not exist is waited for. */
  'synchronous-wait': async ({ database, random }: Scene) => {
    await database.sql(`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
    await database.sql('SELECT pg_reload_conf()');
    await sleep(random.between(300, 5000));
    await database.sql('ALTER SYSTEM RESET synchronous_standby_names');
    await database.sql('SELECT pg_reload_conf()');
  },
};

/** How long what was disturbed is given before it must be as quick as ever. */
const RECOVERY_MS = 15_000;

/** Makes a disturbance every few seconds until it is stopped. */
export class Chaos {
  readonly #scene: Scene;
  readonly #kinds: readonly string[];
  readonly #pauseMs: readonly [number, number];
  readonly #log: (line: string) => void;
  readonly counts: Record<string, number> = {};
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #disturbing = false;
  #lastMs = -Infinity;

  constructor(
    scene: Scene,
    kinds: readonly string[],
    pauseMs: readonly [number, number],
    log: (line: string) => void,
  ) {
    this.#scene = scene;
    this.#kinds = kinds;
    this.#pauseMs = pauseMs;
    this.#log = log;
  }

  start(): void {
    if (this.#kinds.length > 0) this.#running = this.#run();
  }

  /** Whether anything was disturbed since then, or had been so shortly before that it may still recover. */
  disturbedSince(sinceMs: number): boolean {
    return this.#disturbing || this.#lastMs + RECOVERY_MS > sinceMs;
  }

  /** Resolves when the one under way has been undone; rejects when one could not be made. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { random } = this.#scene;
    for (;;) {
      await sleep(random.between(...this.#pauseMs), undefined, { signal: this.#stop.signal }).catch(
        () => undefined,
      );
      if (this.#stop.signal.aborted) return;
      const kind = random.pick(this.#kinds);
      this.#log(kind);
      this.#disturbing = true;
      await DISTURBANCES[kind]?.(this.#scene);
      this.#disturbing = false;
      this.#lastMs = Date.now();
      this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    }
  }
}

async function endWalsenders(database: TestDatabase): Promise<void> {
  await database.sql(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
     WHERE active AND slot_name NOT LIKE 'judge%' AND database = current_database()`,
  );
}

/** After a kill the old processes may hold the port or the lock file for a moment. */
async function startAgain(primary: TestPostgres): Promise<void> {
  for (let left = 20; ; left--) {
    try {
      return await primary.start();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(250);
    }
  }
}
