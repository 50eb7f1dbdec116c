import { MessageChannel, Worker } from 'node:worker_threads';
import type { SluiceError } from '@sluice/core/errors';
import type { Explanation } from '@sluice/core/explanation';
import type { Logger } from 'pino';
import type { LogLevel } from './config/config.js';
import { sluiceError } from './errors.js';
import { loggable } from './metrics/log.js';
import type { SourceSideStatus } from './metrics/readings.js';
import {
  revived,
  withoutFunctions,
  type Call,
  type FromWorker,
  type ToWorker,
  type Which,
  type WorkerData,
} from './source-side-calls.js';
import type { SourceSide, SourceSideOptions } from './source-side.js';
import type { ConnectionConfig } from './source/connection-config.js';
import { RemoteViews } from './views/message-port.js';
import type { QuerySpec } from './views/port.js';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface ThreadedOptions extends SourceSideOptions {
  readonly logLevel: LogLevel;
}

/**
 * V8 makes semi-spaces of 64 MB of it. Each time that one is full the collector comes by every part of what is held: the
 * larger it is, the more changes share that (docs/decisions/028).
 */
const YOUNG_GENERATION_MB = 192;

/** Source, planner and views in a thread of their own, so that a burst of changes delays no socket. */
export class ThreadedSourceSide implements SourceSide {
  readonly port: RemoteViews;
  readonly #options: ThreadedOptions;
  readonly #log: Logger;
  readonly #worker: Worker;
  readonly #changed: () => void;
  readonly #failed: (error: SluiceError) => void;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #stopping = false;
  #gone = false;

  /** @param failed told once when the thread ended by itself: this side is of no use any more */
  constructor(
    options: ThreadedOptions,
    log: Logger,
    changed: () => void,
    failed: (error: SluiceError) => void,
  ) {
    this.#options = options;
    this.#log = log;
    this.#changed = changed;
    this.#failed = failed;
    const channel = new MessageChannel();
    this.port = new RemoteViews(channel.port1);
    const { logLevel, ...rest } = options;
    const workerData: WorkerData = {
      logLevel,
      views: channel.port2,
      options: {
        ...rest,
        database: withoutFunctions(options.database),
        replication: withoutFunctions(options.replication),
      },
    };
    this.#worker = new Worker(new URL('./source-side-worker.js', import.meta.url), {
      workerData,
      transferList: [channel.port2],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', (message: FromWorker) => this.#hear(message));
    this.#worker.on('error', (error) => this.#log.fatal({ event: 'thread_failed', error: loggable(error) }));
    this.#worker.on('exit', (exitCode) => this.#ended(exitCode));
  }

  async start(): Promise<void> {
    await this.#call({ method: 'start' });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (!this.#gone) {
      await this.#call({ method: 'stop' }).catch((error: unknown) => {
        if (!this.#gone) throw error; // a thread that ended meanwhile has stopped, too
      });
    }
    this.port.close();
    await this.#worker.terminate();
  }

  async status(): Promise<SourceSideStatus> {
    return (await this.#call({ method: 'status' })) as SourceSideStatus;
  }

  schema(role: string): Promise<unknown> {
    return this.#call({ method: 'schema', role });
  }

  async explain(spec: QuerySpec): Promise<Explanation> {
    return (await this.#call({ method: 'explain', spec })) as Explanation;
  }

  #call(call: Call): Promise<unknown> {
    if (this.#gone) return Promise.reject(sluiceError('thread_ended'));
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#tell({ kind: 'call', id, call });
    });
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'answer':
        this.#take(message.id)?.resolve(message.value);
        break;
      case 'failed':
        this.#take(message.id)?.reject(revived(message.error));
        break;
      case 'changed':
        this.#changed();
        break;
      case 'password':
        void this.#answerPassword(message.id, message.which);
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  async #answerPassword(id: number, which: Which): Promise<void> {
    const connection: ConnectionConfig = this.#options[which];
    try {
      const { password } = connection;
      this.#tell({
        kind: 'password',
        id,
        password: typeof password === 'function' ? await password() : null,
      });
    } catch (error) {
      this.#log.error({ event: 'password_function_failed', error: loggable(error) });
      this.#tell({ kind: 'password', id, password: null });
    }
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #ended(exitCode: number): void {
    this.#gone = true;
    const error = sluiceError('thread_ended');
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    if (this.#stopping) return;
    this.#log.fatal({ event: 'thread_ended', exitCode, error: loggable(error) });
    this.#failed(error);
  }
}
