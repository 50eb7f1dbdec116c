import type { DecoderKind, ScalarDecoderKind } from '@sluice/core/shape';
import type { Registry } from '../registry/registry.js';
import type { Run } from '../source/source.js';

/** Names of types, as Postgres prints them. */
export interface TypeNames {
  /** `format_type` without modifiers. */
  readonly display: string;
  /** Schema-qualified and quoted: fit for a cast anywhere. */
  readonly castable: string;
}

const NAMES_SQL = `
SELECT t.oid, format_type(t.oid, NULL),
  CASE WHEN e.oid IS NULL THEN format('%I.%I', n.nspname, t.typname) ELSE format('%I.%I[]', en.nspname, e.typname) END
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typsubscript = 'array_subscript_handler'::regproc
LEFT JOIN pg_namespace en ON en.oid = e.typnamespace WHERE t.oid = ANY ($1::oid[])`;

export async function typeNames(run: Run, oids: readonly number[]): Promise<ReadonlyMap<number, TypeNames>> {
  const { rows } = await run(NAMES_SQL, [`{${[...new Set(oids)].join(',')}}`]);
  return new Map(
    rows.map(([oid, display, castable]) => [
      Number(oid),
      { display: display ?? '', castable: castable ?? '' },
    ]),
  );
}

const SCALARS: Readonly<Record<number, ScalarDecoderKind>> = {
  16: 'boolean',
  17: 'bytes',
  20: 'bigint',
  21: 'integer',
  23: 'integer',
  26: 'integer',
  114: 'json',
  700: 'float',
  701: 'float',
  3802: 'json',
};

/** How the client decodes a type: domains as what they are made of, arrays by their elements. */
export function decoderOf(registry: Registry, oid: number): DecoderKind {
  const base = baseTypeOf(registry, oid);
  const element = registry.types.get(base)?.elementOid ?? null;
  return element === null
    ? (SCALARS[base] ?? 'text')
    : `array:${SCALARS[baseTypeOf(registry, element)] ?? 'text'}`;
}

/** The type below a domain, all the way down. */
export function baseTypeOf(registry: Registry, oid: number): number {
  const base = registry.types.get(oid)?.baseOid ?? null;
  return base === null ? oid : baseTypeOf(registry, base);
}
