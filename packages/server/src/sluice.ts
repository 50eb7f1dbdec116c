import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SluiceError } from '@sluice/core/errors';
import type { Logger } from 'pino';
import type { ApiOf } from './api.js';
import { addressOf, attachTo, isLoopback, type Handlers, type NodeServer } from './attach.js';
import { makeClientSide, type ClientSide } from './client-side.js';
import { commitToken } from './commit-token.js';
import type { Config, QueryDefinition, SluiceConfig } from './config/config.js';
import { connectionConfig } from './config/database.js';
import { configError } from './config/errors.js';
import { parseConfig } from './config/schema.js';
import { sluiceError } from './errors.js';
import { listenOn, type OwnServer } from './listen.js';
import { makeLogger } from './metrics/log.js';
import { Metrics } from './metrics/metrics.js';
import { failedReadiness, readinessOf, type Readiness } from './metrics/readiness.js';
import { preflight } from './preflight.js';
import { ThreadedSourceSide } from './source-side-thread.js';
import { transportError } from './transport/errors.js';
import { LocalSourceSide, type SourceSide, type SourceSideOptions } from './source-side.js';

/** Over how long clients come back, somewhere, when this instance cannot go on. */
const FAILURE_SPREAD_MS = 1_000;

/**
 * Live queries of one database, inside an application or as a server of their own. `typeof sluice` is what a client
 * imports of it: `createClient<Api>`.
 */
export interface Sluice<Api = unknown> {
  /** For the types alone. */
  readonly '~api'?: Api;
  /** Resolves when clients can be served. @throws SluiceError what stands in the way, with its remedy */
  start(): Promise<void>;
  /** `readyz` turns red, clients are told to go elsewhere and given `graceMs`, then the slot is gone. */
  stop(): Promise<void>;
  /** Starts, and serves on a server of our own at `host` and `port`. @returns the URL. @throws SluiceError */
  listen(): Promise<string>;
  /** Serves our paths on the application's server, WebSockets included. Attach after its own listeners were added. */
  attach(server: NodeServer): void;
  /**
   * For a router: everything but WebSockets. Node's form calls `next` when the path is not ours; Fetch's form, for Hono,
   * Next.js and their like, answers 404.
   */
  readonly handler: Handler;
  /**
   * Marks the position of a transaction: to be called inside it. The client's `reached(token)` then resolves when it
   * shows what the transaction wrote.
   * @param transaction of pg, postgres.js, Drizzle, Kysely or Prisma
   */
  token(transaction: unknown): Promise<string>;
  /**
   * Resolves, with the error, if this instance can ever not go on: it stops serving, `healthz` and `readyz` are red
   * until `stop` is called. End the process, or make a new instance.
   */
  readonly failed: Promise<unknown>;
}

export interface Handler {
  (request: Request): Promise<Response>;
  (request: IncomingMessage, response: ServerResponse, next?: () => void): void;
}

/**
 * @example
 * const sluice = createSluice({ database: process.env.DATABASE_URL, queries });
 * sluice.attach(server);
 * await sluice.start();
 * @throws SluiceError when the configuration is wrong
 */
export function createSluice<Q extends Readonly<Record<string, QueryDefinition>> = Record<never, never>>(
  config: SluiceConfig & { readonly queries?: Q },
): Sluice<ApiOf<Q>> {
  return makeSluice(parseConfig(config));
}

/** From a configuration that was checked already. @throws SluiceError `database_not_given` */
export function makeSluice<Api>(config: Config): Sluice<Api> {
  const service = new Service(config);
  return {
    start: () => service.start(),
    stop: () => service.stop(),
    listen: () => service.listen(),
    attach: (server) => service.attach(server),
    handler: makeHandler(service),
    token: commitToken,
    failed: service.failed,
  };
}

function makeHandler(service: Service): Handler {
  function handle(request: Request): Promise<Response>;
  function handle(request: IncomingMessage, response: ServerResponse, next?: () => void): void;
  function handle(
    request: Request | IncomingMessage,
    response?: ServerResponse,
    next?: () => void,
  ): Promise<Response> | void {
    if (response === undefined) return service.fetch(request as Request);
    if (!service.handlers.request(request as IncomingMessage, response)) next?.();
    return undefined;
  }
  return handle;
}

/** One life: made, started, stopped. */
class Service {
  readonly handlers: Handlers;
  readonly #config: Config;
  readonly #log: Logger;
  readonly #metrics = new Metrics();
  readonly #source: SourceSide;
  readonly #clients: ClientSide;
  readonly #detach: (() => void)[] = [];
  #server: OwnServer | null = null;
  #starting: Promise<void> | null = null;
  #started = false;
  #stopping: Promise<void> | null = null;
  #wake: () => void = () => undefined;
  #failure: SluiceError | null = null;
  #failed: (error: unknown) => void = () => undefined;
  /** Resolves, with the error, when this instance cannot go on. */
  readonly failed: Promise<unknown> = new Promise((resolve) => (this.#failed = resolve));

  constructor(config: Config) {
    this.#config = config;
    this.#log = makeLogger(config.logLevel);
    const changed = (): void => this.#wake();
    const options = sourceOptions(config);
    this.#source = config.viewsThread
      ? new ThreadedSourceSide({ ...options, logLevel: config.logLevel }, this.#log, changed, (error) =>
          this.#fail(error),
        )
      : new LocalSourceSide(options, this.#log, changed);
    this.#clients = makeClientSide(config, this.#source, this.#log, {
      closed: () => (this.#started ? null : transportError('server_starting')),
      schema: ({ role }) => this.#source.schema(role),
      healthy: async () => (this.#failure === null ? { ok: true } : failedReadiness(this.#failure)),
      ready: () => this.#readiness(),
      metrics: async () => ({ contentType: this.#metrics.contentType, text: await this.#scrape() }),
    });
    const { transport } = this.#clients;
    this.handlers = {
      request: (request, response) => transport.handleRequest(request, response),
      upgrade: (request, socket, head) => transport.handleUpgrade(request, socket, head),
    };
  }

  start(): Promise<void> {
    if (this.#stopping !== null) return Promise.reject(sluiceError('sluice_stopped'));
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    try {
      await preflight(this.#config, this.#log);
      await this.#source.start();
      await this.#untilReady();
      this.#started = true;
      this.#log.info({ event: 'ready' });
    } catch (error) {
      void this.stop();
      throw error;
    }
  }

  /**
   * Nobody feeds the sessions any more: clients are sent elsewhere at once, and nothing is served meanwhile. What was
   * attached stays so until the application says `stop`: probes of a process that goes on without us have to be red.
   */
  #fail(error: SluiceError): void {
    this.#failure = error;
    this.#failed(error);
    void this.#close();
  }

  /** Until the stream runs and every transaction that was open when its slot was made has ended (C7). */
  async #untilReady(): Promise<void> {
    while (!(await this.#readiness()).ok) {
      if (this.#stopping !== null) throw sluiceError('sluice_stopped');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async stop(): Promise<void> {
    await this.#close();
    for (const detach of this.#detach.splice(0)) detach();
  }

  #close(): Promise<void> {
    this.#stopping ??= this.#closeAll();
    this.#wake();
    return this.#stopping;
  }

  async #closeAll(): Promise<void> {
    const { transport } = this.#clients;
    await (this.#failure === null
      ? transport.close(this.#config.graceMs)
      : transport.close(0, FAILURE_SPREAD_MS));
    await this.#server?.close();
    await this.#source.stop();
    this.#log.info({ event: 'stopped' });
  }

  async fetch(request: Request): Promise<Response> {
    const response = await this.#clients.transport.fetchHandler(request);
    return response ?? new Response('not found\n', { status: 404 });
  }

  async listen(): Promise<string> {
    const { host, port, insecure, basePath } = this.#config;
    if (!insecure && !isLoopback(host)) throw configError('listen_not_loopback', host);
    this.#server = await listenOn(host, port, this.handlers);
    try {
      await this.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    return this.#server.url + basePath;
  }

  attach(server: NodeServer): void {
    this.#refuseOpen(server);
    server.on('listening', () => this.#refuseOpen(server));
    this.#detach.push(attachTo(server, this.handlers));
  }

  /** @throws SluiceError `listen_not_loopback` */
  #refuseOpen(server: NodeServer): void {
    const address = addressOf(server)?.address;
    if (this.#config.insecure || address === undefined || isLoopback(address)) return;
    throw configError('listen_not_loopback', address);
  }

  async #readiness(): Promise<Readiness> {
    if (this.#failure !== null) return failedReadiness(this.#failure);
    return readinessOf((await this.#source.status()).source, this.#stopping !== null);
  }

  async #scrape(): Promise<string> {
    const { sessions, transport } = this.#clients;
    const { refused } = transport.status();
    return this.#metrics.text({ ...(await this.#source.status()), sessions: sessions.status(), refused });
  }
}

function sourceOptions(config: Config): SourceSideOptions {
  if (config.database === undefined) throw configError('database_not_given');
  const { publication, role, visible, pollMs, poolMax, maxRetainedWalBytes, limits, slot } = config;
  return {
    database: connectionConfig(config.database),
    replication: connectionConfig(config.replication ?? config.database),
    slot: { mode: slot.mode, name: slot.name },
    publication,
    role,
    visible,
    pollMs,
    poolMax,
    maxRetainedWalBytes,
    limits,
  };
}
