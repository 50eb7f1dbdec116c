import type { StandardSchemaV1 } from '@standard-schema/spec';
import { resolvingError } from './errors.js';

/** Complaints beyond these are only counted. */
const ISSUES_MAX = 10;

/**
 * What the schema makes of the arguments.
 * @throws SluiceError `query_args_invalid`, naming where and what, never a value
 */
export async function validArgs(
  schema: StandardSchemaV1 | null,
  args: unknown,
  name: string,
): Promise<unknown> {
  if (schema === null) return noArgs(args, name);
  const result = await schema['~standard'].validate(args);
  if (result.issues === undefined) return result.value;
  const told = result.issues.slice(0, ISSUES_MAX).map((issue) => inWords(issue, args));
  const more = result.issues.length - told.length;
  throw resolvingError(
    'query_args_invalid',
    `${name}: ${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
  );
}

/** A copy for one call: a function that changes its arguments changes them for itself, and not for when it runs again. */
export function ownArgs(args: unknown): unknown {
  if (Array.isArray(args)) return args.map(ownArgs);
  if (typeof args !== 'object' || args === null) return args;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(args)) copy[name] = ownArgs(value);
  return copy;
}

/** Strict: a misplaced argument is never silently ignored. */
function noArgs(args: unknown, name: string): undefined {
  const empty =
    args === undefined || args === null || (typeof args === 'object' && Object.keys(args).length === 0);
  if (!empty) throw resolvingError('query_args_invalid', `${name} takes no arguments`);
  return undefined;
}

function inWords({ path, message }: StandardSchemaV1.Issue, args: unknown): string {
  const keys = (path ?? []).map((step) => String(typeof step === 'object' ? step.key : step));
  const said = withoutValues(message, args);
  return keys.length === 0 ? said : `${keys.join('.')}: ${said}`;
}

/** Some validators repeat what they were given (`received "…"`): it is taken out again. */
function withoutValues(message: string, args: unknown): string {
  let said = message;
  for (const value of leaves(args)) {
    const text = typeof value === 'string' ? value : String(value);
    if (text === '' || !said.includes(text)) continue;
    said = said.split(new RegExp(`(?<![\\p{L}\\p{N}])${escaped(text)}(?![\\p{L}\\p{N}])`, 'u')).join('…');
  }
  return said;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function* leaves(value: unknown): Generator<string | number> {
  if (typeof value === 'string' || typeof value === 'number') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const item of Object.values(value)) yield* leaves(item);
}
