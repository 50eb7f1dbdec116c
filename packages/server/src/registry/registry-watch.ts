import { must } from '@sluice/core/assert';
import type { Run } from '../source/source.js';
import { POLL_SQL } from './catalog-sql.js';
import { readRegistry } from './read-registry.js';
import { changedTables, rewrittenTables } from './registry-difference.js';
import type { Registry } from './registry.js';

export interface RegistryWatchOptions {
  /** Runs work in one read-only snapshot (REPEATABLE READ), so that what is read belongs together. */
  readonly snapshot: <T>(work: (run: Run) => Promise<T>) => Promise<T>;
  readonly publication: string;
  /** How often the catalog is asked whether it changed. Default 1,000. */
  readonly intervalMs?: number;
  /** Milliseconds, from any beginning. */
  readonly nowMs: () => number;
  /** Told when the catalog could not be read; the last registry stays, and the next poll tries again. */
  readonly onError?: (error: unknown) => void;
}

/**
 * @param changed relations that came, went, or changed in shape, definition, privileges or policies; all of them
 *   when schemas, roles, memberships or role settings changed.
 * @param global a function, operator or cast of a user changed.
 * @param rewritten tables whose rows were written anew, which DDL may do without a word in the stream.
 */
export type RegistryListener = (
  next: Registry,
  changed: ReadonlySet<number>,
  global: boolean,
  rewritten: ReadonlySet<number>,
) => void;

export interface RegistryStatus {
  /** How old what is known of the catalog may be: since the last look at it that succeeded; null before the first. */
  readonly ageMs: number | null;
  /** Times that it was read, because it had changed or somebody knew better. */
  readonly reads: number;
}

const INTERVAL_MS = 1_000;

/**
 * Keeps a registry current. DDL sends nothing through the stream, so the catalog is polled with one statement that
 * hashes the versions of its rows; only when that moves is the catalog read. `refresh` is for those who know
 * better: the event trigger's message, a Relation message that differs, a table that a query names.
 */
export class RegistryWatch {
  readonly #options: RegistryWatchOptions;
  readonly #listeners = new Set<RegistryListener>();
  #current: Registry | null = null;
  /** The poll's hash that `#current` belongs to; null after a failure. */
  #version: string | null = null;
  #running: Promise<void> = Promise.resolve();
  #queued: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  /** When the last look that succeeded began; null before the first. */
  #lookedMs: number | null = null;
  #reads = 0;

  constructor(options: RegistryWatchOptions) {
    this.#options = options;
  }

  /** Reads the registry for the first time and begins to poll. @throws a registered error: there is no registry. */
  async start(): Promise<void> {
    await this.refresh();
    this.#schedule();
  }

  /** Stops polling and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.allSettled([this.#running, this.#queued]);
  }

  get current(): Registry {
    return must(this.#current, 'the registry watch was started');
  }

  status(): RegistryStatus {
    const ageMs = this.#lookedMs === null ? null : this.#options.nowMs() - this.#lookedMs;
    return { ageMs, reads: this.#reads };
  }

  /** @returns what removes the listener. */
  listen(listener: RegistryListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Reads the catalog as it is now or later. Calls while a read is under way share the one after it: the read under
   * way may have begun too early for them.
   */
  refresh(): Promise<void> {
    if (this.#queued !== null) return this.#queued;
    const next = this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = null;
        this.#running = this.#read(false);
        return this.#running;
      });
    this.#queued = next;
    return next;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#poll(), this.#options.intervalMs ?? INTERVAL_MS);
    this.#timer.unref();
  }

  async #poll(): Promise<void> {
    try {
      await this.#running.catch(() => undefined);
      this.#running = this.#read(true);
      await this.#running;
    } catch (error) {
      this.#options.onError?.(error);
    }
    this.#schedule();
  }

  async #read(onlyIfChanged: boolean): Promise<void> {
    const known = this.#version;
    const beganMs = this.#options.nowMs();
    this.#version = null;
    const { version, registry } = await this.#options.snapshot(async (run) => {
      const now = (await run(POLL_SQL)).rows[0]?.[0] ?? '';
      if (onlyIfChanged && now === known) return { version: now, registry: null };
      return { version: now, registry: await readRegistry(run, this.#options.publication) };
    });
    this.#version = version;
    this.#lookedMs = beganMs;
    if (registry === null) return;
    this.#reads++;
    this.#publish(registry);
  }

  #publish(next: Registry): void {
    const previous = this.#current;
    this.#current = next;
    if (previous === null) return;
    const changed = changedTables(previous, next);
    const global = previous.globalHash !== next.globalHash;
    const rewritten = rewrittenTables(previous, next);
    const rights = previous.rightsHash !== next.rightsHash;
    const same = changed.size + rewritten.size === 0 && !global && !rights;
    if (same && previous.hash === next.hash) return;
    for (const listener of this.#listeners) listener(next, changed, global, rewritten);
  }
}
