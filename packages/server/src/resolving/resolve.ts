import type { Config } from '../config/config.js';
import type { Ctx } from '../config/named-query.js';
import { readElsewhere, type Resolved } from './answer.js';
import { resolveRemotely, type RemoteParts } from './remote.js';
import { resolveNamed } from './resolve-named.js';

/**
 * From a name and arguments to SQL: by the queries of the configuration, else by its `resolve`.
 * @returns null when neither knows the name
 * @throws SluiceError, or what the application's function throws
 */
export async function resolveQuery(
  { queries, resolve }: Pick<Config, 'queries' | 'resolve'>,
  parts: RemoteParts,
  call: { readonly name: string; readonly args: unknown; readonly ctx: Ctx },
): Promise<Resolved | null> {
  const { name, args, ctx } = call;
  const named = await resolveNamed(queries, name, args, ctx);
  if (named !== null || resolve === undefined) return named;
  const answer =
    typeof resolve === 'function' ? resolve(name, args, ctx) : await resolveRemotely(resolve, parts, call);
  return readElsewhere(answer, name);
}
