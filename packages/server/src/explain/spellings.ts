import type { Run } from '../source/source.js';

/** How a user writes a function that a plan calls by its C function. */
export interface Spelling {
  readonly kind: 'infix' | 'prefix' | 'cast' | 'output' | 'function';
  /** The operator, the type of the cast, or the function's name. */
  readonly name: string;
}

export type Spellings = ReadonlyMap<string, Spelling>;

/** Functions that a plan names by their signature are found by their name. */
const SPELLINGS_SQL = `
  WITH f AS (
    SELECT p.oid, p.proname, p.prosrc FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.prosrc = ANY ($1::text[]))
  SELECT DISTINCT ON (prosrc) prosrc, kind, name FROM (
    SELECT f.prosrc, CASE WHEN o.oprleft = 0 THEN 'prefix' ELSE 'infix' END AS kind, o.oprname::text AS name, 1 AS rank
    FROM f JOIN pg_catalog.pg_operator o ON o.oprcode = f.oid
    UNION ALL
    SELECT f.prosrc, 'cast', pg_catalog.format_type(c.casttarget, NULL), 2
    FROM f JOIN pg_catalog.pg_cast c ON c.castfunc = f.oid
    UNION ALL
    SELECT f.prosrc, 'cast', pg_catalog.format_type(t.oid, NULL), 3
    FROM f JOIN pg_catalog.pg_type t ON t.typinput = f.oid AND t.typelem = 0 WHERE t.typnamespace = 'pg_catalog'::regnamespace
    UNION ALL
    SELECT f.prosrc, 'output', 'text', 3
    FROM f JOIN pg_catalog.pg_type t ON t.typoutput = f.oid
    UNION ALL
    SELECT f.prosrc, 'function', f.proname::text, 4 FROM f
  ) s ORDER BY prosrc, rank, name COLLATE "C"`;

/** Of all functions that a plan calls. */
export async function readSpellings(run: Run, plan: unknown): Promise<Spellings> {
  const names = [...functionsIn(plan, new Set())];
  if (names.length === 0) return new Map();
  const { rows } = await run(SPELLINGS_SQL, [JSON.stringify(names).replace('[', '{').replace(/\]$/, '}')]);
  return new Map(
    rows.map(([fn, kind, name]) => [String(fn), { kind: kind as Spelling['kind'], name: name ?? '' }]),
  );
}

function functionsIn(node: unknown, found: Set<string>): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  if ('fn' in node && typeof node.fn === 'string') found.add(node.fn);
  for (const part of Object.values(node)) functionsIn(part, found);
  return found;
}
