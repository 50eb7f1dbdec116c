import { SluiceError } from '@sluice/core/errors';
import type { Shape } from '@sluice/core/shape';
import type { Subscribe } from '@sluice/core/wire';
import type { Resolved } from '../resolving/answer.js';
import type { FieldsOf } from '../resolving/field-plan.js';
import type { Principal, QuerySpec } from '../views/port.js';
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
}

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

  /** @throws SluiceError `query_unknown`, `query_failed`, `sql_not_allowed`, or what the application threw of these */
  async resolve(message: Subscribe, principal: Principal): Promise<Bound> {
    const tick = message.tick === undefined ? {} : { tick: message.tick };
    if (message.sql !== undefined) {
      if (!this.#options.allowSql) throw sessionsError('sql_not_allowed');
      const { sql, params = [] } = message;
      return { spec: { sql, params, principal, adHoc: true, ...tick }, fields: null };
    }
    const name = message.query ?? '';
    const resolved = await this.#call(name, message.args, principal);
    if (resolved === null) throw sessionsError('query_unknown', name.slice(0, 100));
    const { fields = null, ...query } = resolved;
    return { spec: { ...tick, ...query, principal, adHoc: false }, fields };
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
