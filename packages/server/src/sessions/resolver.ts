import { SluiceError } from '@sluice/core/errors';
import type { PgText } from '@sluice/core/value';
import type { Subscribe } from '@sluice/core/wire';
import type { Principal, QuerySpec } from '../views/port.js';
import { sessionsError } from './errors.js';

/** What a named query comes to. */
export interface Resolved {
  readonly sql: string;
  readonly params: readonly PgText[];
  readonly tick?: string;
}

/**
 * Resolves a named query for who asks: a function of this process, or a call to another.
 * @returns null when there is none of that name
 */
export type Resolve = (name: string, args: unknown, ctx: Principal) => Promise<Resolved | null>;

export interface ResolverOptions {
  readonly resolve?: Resolve;
  /** Whether clients may send SQL of their own. */
  readonly allowSql: boolean;
  /** Told of a failure that is not the client's business. */
  readonly onError?: (name: string, error: unknown) => void;
}

export class Resolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** @throws SluiceError `query_unknown`, `query_failed`, `sql_not_allowed`, or what the application threw of these */
  async resolve(message: Subscribe, principal: Principal): Promise<QuerySpec> {
    const tick = message.tick === undefined ? {} : { tick: message.tick };
    if (message.sql !== undefined) {
      if (!this.#options.allowSql) throw sessionsError('sql_not_allowed');
      return { sql: message.sql, params: message.params ?? [], principal, adHoc: true, ...tick };
    }
    const name = message.query ?? '';
    const resolved = await this.#call(name, message.args, principal);
    if (resolved === null) throw sessionsError('query_unknown', name.slice(0, 100));
    return { ...tick, ...resolved, principal, adHoc: false };
  }

  async #call(name: string, args: unknown, principal: Principal): Promise<Resolved | null> {
    const { resolve, onError } = this.#options;
    if (resolve === undefined) return null;
    try {
      return await resolve(name, args, principal);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      onError?.(name, error);
      throw sessionsError('query_failed', name.slice(0, 100));
    }
  }
}
