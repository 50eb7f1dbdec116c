import { SluiceError } from '@sluice/core/errors';
import type { Shape } from '@sluice/core/shape';
import type { Subscribe } from '@sluice/core/wire';
import type { Resolved } from '../resolving/answer.js';
import type { FieldsOf } from '../resolving/field-plan.js';
import type { Principal, QuerySpec } from '../views/port.js';
import type { Clock } from './clock.js';
import { sessionsError } from './errors.js';

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
  readonly clock?: Clock;
}

/** How long a query's function may take. */
export const RESOLVE_MS = 60_000;
/** Names are told up to here. */
const NAME_MAX = 100;

/** What a subscription asks the views for, and how its rows become what a builder promises. */
export interface Bound {
  readonly spec: QuerySpec;
  readonly fields: FieldsOf | null;
}

/** The shape for one subscription. @throws SluiceError `query_answer_invalid` */
export function shapeFor(shape: Shape, fields: FieldsOf | null): Shape {
  const made = fields?.(shape.columns) ?? null;
  return made === null ? shape : { ...shape, fields: made };
}

export class Resolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** @throws SluiceError `query_unknown`, `query_failed`, `query_timeout`, `sql_not_allowed`, or what resolving throws */
  async resolve(message: Omit<Subscribe, 'kind' | 'id'>, principal: Principal): Promise<Bound> {
    const tick = message.tick === undefined ? {} : { tick: message.tick };
    if (message.sql !== undefined) {
      if (!this.#options.allowSql) throw sessionsError('sql_not_allowed');
      const { sql, params = [] } = message;
      return { spec: { sql, params, principal, adHoc: true, ...tick }, fields: null };
    }
    const name = message.query ?? '';
    const resolved = await this.#call(name, message.args, principal);
    if (resolved === null) throw sessionsError('query_unknown', name.slice(0, NAME_MAX));
    const { fields = null, ...query } = resolved;
    return { spec: { ...tick, ...query, principal, adHoc: false }, fields };
  }

  async #call(name: string, args: unknown, principal: Principal): Promise<Resolved | null> {
    const { resolve, onError } = this.#options;
    if (resolve === undefined) return null;
    const told = name.slice(0, NAME_MAX);
    try {
      return await this.#inTime(resolve(name, args, principal), told);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      onError?.(told, error);
      throw sessionsError('query_failed', told);
    }
  }

  /** What an application never answers is not held for ever. */
  async #inTime<T>(work: Promise<T>, name: string): Promise<T> {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      const overdue = (): void => reject(sessionsError('query_timeout', `${name}: ${RESOLVE_MS} ms`));
      cancel = this.#options.clock?.after(RESOLVE_MS, overdue) ?? cancel;
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      cancel();
    }
  }
}
