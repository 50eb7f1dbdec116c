import type { Config } from '../config/config.js';
import { readElsewhere, type Resolved } from './answer.js';
import { ownArgs } from './arguments.js';
import { shortName } from './errors.js';
import { RemoteQueries, type RemoteCall, type RemoteParts } from './remote.js';
import { resolveNamed } from './resolve-named.js';

/** Resolves the queries of a configuration: from a name and arguments to SQL. */
export class Queries {
  readonly #config: Pick<Config, 'queries' | 'resolve'>;
  readonly #remote: RemoteQueries | null;

  constructor(config: Pick<Config, 'queries' | 'resolve'>, parts: RemoteParts) {
    this.#config = config;
    const { resolve } = config;
    this.#remote = typeof resolve === 'object' ? new RemoteQueries(resolve, parts) : null;
  }

  /**
   * By the queries of the configuration, else by its `resolve`.
   * @returns null when neither knows the name
   * @throws SluiceError, or what the application's function throws
   */
  async resolve(call: RemoteCall): Promise<Resolved | null> {
    const { name, ctx } = call;
    const { queries, resolve } = this.#config;
    const named = await resolveNamed(queries, name, ownArgs(call.args), ctx);
    if (named !== null || resolve === undefined) return named;
    const answer =
      typeof resolve === 'function'
        ? resolve(name, ownArgs(call.args), ctx)
        : await this.#remote?.resolve(call);
    return readElsewhere(answer, shortName(name));
  }
}
