import { NAMED_ONLY, readsClock } from './allow-rules.js';
import { BUILTIN_FUNCTIONS } from './builtin-functions.js';
import { FIRST_USER_OID, type FoundFunction } from './catalog-lookup.js';
import { plannerError } from './errors.js';

/** A function of the application that the planner need not, or cannot, look into (C22). */
export interface DeclaredFunction {
  /** Tables that it reads, `schema.table`. */
  readonly reads: readonly string[];
}

export interface FunctionPolicy {
  /** Client-written SQL: only what is listed. */
  readonly adHoc: boolean;
  /** Signatures as `regprocedure` prints them under an empty search_path, or `schema.name`: allowed in ad-hoc SQL. */
  readonly allowed: ReadonlySet<string>;
  /** Extensions whose IMMUTABLE and STABLE functions and operators are allowed in ad-hoc SQL. */
  readonly allowedExtensions: ReadonlySet<string>;
  readonly declared: ReadonlyMap<string, DeclaredFunction>;
}

/** Extensions of Postgres's own distribution whose operators are plain values' operators. */
export const HARMLESS_EXTENSIONS: readonly string[] = [
  'citext',
  'hstore',
  'ltree',
  'intarray',
  'cube',
  'isn',
  'pg_trgm',
];

export type FunctionKind = 'builtin' | 'clock' | 'declared' | 'user';

/** What a call means for the plan. @throws when the call is refused. */
export function judgeFunction(found: FoundFunction, policy: FunctionPolicy): FunctionKind {
  if (found.oid < FIRST_USER_OID) {
    if (!isListed(found) || (policy.adHoc && NAMED_ONLY.has(found.name)))
      throw plannerError(
        found.volatility === 'v' ? 'function_volatile' : 'function_not_allowed',
        found.signature,
      );
    return readsClock(found.name, found.args.length) ? 'clock' : 'builtin';
  }
  const declared = names(found).some((name) => policy.declared.has(name));
  if (found.volatility === 'v') throw plannerError('function_volatile', found.signature);
  if (found.securityDefiner && !declared) throw plannerError('function_security_definer', found.signature);
  if (policy.adHoc && !isAllowedAdHoc(found, policy))
    throw plannerError('function_not_allowed', found.signature);
  return declared ? 'declared' : 'user';
}

export function declarationOf(found: FoundFunction, policy: FunctionPolicy): DeclaredFunction | undefined {
  return names(found)
    .map((name) => policy.declared.get(name))
    .find((declaration) => declaration !== undefined);
}

function isAllowedAdHoc(found: FoundFunction, policy: FunctionPolicy): boolean {
  if (found.extension !== null && policy.allowedExtensions.has(found.extension)) return true;
  return names(found).some((name) => policy.allowed.has(name));
}

function names(found: FoundFunction): readonly string[] {
  return [found.signature, `${found.schema}.${found.signature}`, `${found.schema}.${found.name}`];
}

/** By identity: the oid, and the name that goes with it. */
function isListed(found: FoundFunction): boolean {
  return found.schema === 'pg_catalog' && BUILTINS.get(found.oid) === found.name;
}

const BUILTINS: ReadonlyMap<number, string> = new Map(
  BUILTIN_FUNCTIONS.trim()
    .split(/\s+/)
    .flatMap((entry) => {
      const [name = '', oids = ''] = entry.split(':');
      return oids.split(',').map((oid) => [Number(oid), name] as const);
    }),
);
