import type { SluiceError } from '@sluice/core/errors';
import type { Binding } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import type { Registry } from '../registry/registry.js';
import { canonicalText } from './canonical.js';
import { CLOCK_TYPES, mentionsPresent } from './clock.js';
import { plannerError } from './errors.js';
import type { PlannerLimits } from './limits.js';
import type { ParamType } from './planned.js';
import { fromPostgres } from './postgres-errors.js';
import type { Session } from './session.js';
import { baseTypeOf } from './types.js';

/** Runs work in a transaction of the planner. */
export type InSession = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

/**
 * The canonical text of each value. Those that are canonical already, which is nearly all, cost no round trip;
 * the others are read and printed by Postgres, in one.
 * @throws `parameter_count`, `parameter_invalid`: names the parameter and the type, never the value.
 */
export async function bindValues(
  types: readonly ParamType[],
  values: readonly PgText[],
  registry: Registry,
  limits: PlannerLimits,
  inSession: InSession,
): Promise<Binding> {
  if (types.length !== values.length)
    throw plannerError('parameter_count', `The query has ${types.length}, ${values.length} came.`);
  const binding: PgText[] = [];
  const open: number[] = [];
  for (const [index, type] of types.entries()) {
    const value = values[index] ?? null;
    if (value !== null) checkValue(index, type, value, registry, limits);
    const canonical = value === null ? null : canonicalText(registry, type.oid, value);
    binding.push(canonical ?? null);
    if (canonical === undefined) open.push(index);
  }
  if (open.length === 0) return binding;
  for (const [index, text] of await ask(types, values, open, inSession)) binding[index] = text;
  return binding;
}

function checkValue(
  index: number,
  type: ParamType,
  value: string,
  registry: Registry,
  limits: PlannerLimits,
): void {
  if (value.includes('\0')) throw invalid(index, type, 'it holds a NUL character');
  if (/[\uD800-\uDFFF]/u.test(value)) throw invalid(index, type, 'it is not well-formed Unicode');
  if (value.length > limits.paramBytesMax || Buffer.byteLength(value) > limits.paramBytesMax)
    throw invalid(index, type, `longer than paramBytesMax (${limits.paramBytesMax})`);
  const base = baseTypeOf(registry, type.oid);
  if (CLOCK_TYPES.has(base) && mentionsPresent(value))
    throw invalid(index, type, 'a word for the present is not a time: pass the time itself');
}

/** All at once; when that fails one by one, to name the one that is wrong. */
async function ask(
  types: readonly ParamType[],
  values: readonly PgText[],
  open: readonly number[],
  inSession: InSession,
): Promise<ReadonlyMap<number, PgText>> {
  try {
    const texts = await inSession((session) => print(session, types, values, open));
    return new Map(open.map((index, at) => [index, texts[at] ?? null]));
  } catch (error) {
    const [first, ...more] = open;
    const type = types[first ?? 0];
    if (!isInputError(error)) throw fromPostgres(error);
    if (first !== undefined && type !== undefined && more.length === 0) throw invalid(first, type);
    const answers = new Map<number, PgText>();
    for (const index of open)
      for (const [at, text] of await ask(types, values, [index], inSession)) answers.set(at, text);
    return answers;
  }
}

async function print(
  session: Session,
  types: readonly ParamType[],
  values: readonly PgText[],
  open: readonly number[],
): Promise<readonly PgText[]> {
  const list = open.map((index, at) => `$${at + 1}::${types[index]?.name ?? 'pg_catalog.text'}`).join(', ');
  const { rows } = await session.run(
    `SELECT ${list}`,
    open.map((index) => values[index] ?? null),
  );
  return rows[0] ?? [];
}

function isInputError(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^(22|23|42|54)/.test(error.code)
  );
}

function invalid(index: number, type: ParamType, why?: string): SluiceError {
  const name = type.name.replace(/^pg_catalog\./, '');
  return plannerError(
    'parameter_invalid',
    `$${index + 1} is to be ${name}${why === undefined ? '' : `: ${why}`}`,
  );
}
