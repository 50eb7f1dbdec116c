import { FAMILIES } from '@sluice/core/expression/all';
import { MISSING } from '@sluice/core/expression/missing';

/** How a user writes a function of the engine: as an operator, a cast or by its name. From Postgres's catalog. */
export interface Spelling {
  /** As plans name it. */
  readonly fn: string;
  /** `integer + integer`, `numeric::integer`, `lower(text)`. */
  readonly spelling: string;
}

/** Every spelling of every built-in function: its operators and casts, or else its name. */
export const SPELLINGS_SQL = `
  WITH f AS (
    SELECT p.oid, p.proname, p.prosrc, p.prorettype, CASE WHEN l.lanname = 'sql' THEN format('%s(%s)', p.proname, s.list) ELSE p.prosrc END AS fn, s.list, s.types
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname IN ('internal', 'sql'),
    LATERAL (SELECT ARRAY(SELECT format_type(o, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS u(o, n) ORDER BY n)) a(types),
    LATERAL (SELECT array_to_string(a.types, ','), a.types) s(list, types)
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
  ), o AS (
    SELECT f.fn, CASE WHEN oprleft = 0 THEN format('%s %s', oprname, format_type(oprright, NULL))
      ELSE format('%s %s %s', format_type(oprleft, NULL), oprname, format_type(oprright, NULL)) END AS spelling
    FROM f JOIN pg_operator ON oprcode = f.oid
  ), c AS (
    SELECT f.fn, format('%s::%s', format_type(castsource, NULL), format_type(casttarget, NULL)) AS spelling
    FROM f JOIN pg_cast ON castfunc = f.oid WHERE castsource <> casttarget
  ), named AS (
    SELECT f.fn, format('%s(%s)', f.proname, replace(replace(f.list, ',', ', '), '"any"', '…')) AS spelling FROM f
    WHERE NOT EXISTS (SELECT FROM o WHERE o.fn = f.fn) AND NOT EXISTS (SELECT FROM c WHERE c.fn = f.fn)
      AND NOT f.types @> '{cstring}' AND f.prorettype <> 'cstring'::regtype
      AND NOT (f.proname = f.prosrc AND EXISTS (SELECT FROM f other WHERE other.prosrc = f.prosrc AND other.proname <> f.proname))
  )
  SELECT fn, spelling FROM (SELECT * FROM o UNION SELECT * FROM c UNION SELECT * FROM named) s
  WHERE spelling !~ '(oid|reg[a-z]+)$'
  ORDER BY spelling COLLATE "C", fn COLLATE "C"`;

/** Not called by a name: the text forms of types, and subscripts. */
const UNNAMED = /^(.*(in|out)|(array|jsonb)_subscript_handler)$/;

/** The page that lists what expressions may hold to be maintained incrementally, and what not. */
export function functionsPage(spellings: readonly Spelling[]): string {
  const sections = Object.entries(FAMILIES).map(([name, family]) => {
    const lines = spellings.filter(({ fn }) => Object.hasOwn(family, fn));
    return `## ${name}\n\n${table(lines.map(({ spelling }) => spelling))}`;
  });
  const missing = MISSING.map(({ what, reason }) => `| ${escape(what)} | ${escape(reason)} |`);
  return [
    INTRODUCTION,
    ...sections,
    `## Not reproduced\n\n| what | why |\n| --- | --- |\n${missing.join('\n')}`,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

const INTRODUCTION = `# Functions and operators

What expressions of an incremental query may hold. Each is judged against Postgres 14 to 18 with values at the edges of
its types, results text for text and errors by their code; this page is generated from the code and Postgres's catalog.
A query that holds another function is re-run instead, and \`sluice explain\` says so. Where a function of this list
meets a value that it leaves to Postgres (a time zone other than UTC, a Greek letter in \`lower\`), Postgres is
asked for that result. Besides: AND, OR, NOT, IS, CASE, COALESCE, NULLIF, GREATEST, LEAST, ARRAY[…], ANY and ALL, IS
DISTINCT FROM, subscripts, and casts to and from text.

comparison, uuid and enum are always there; each of the other headings is a chunk, which a plan names when it
calls a function of it ([plans in a page](chunks.md)).`;

/** One row for an operator or function, whatever the types it takes. */
function table(spellings: readonly string[]): string {
  const groups = new Map<string, Set<string>>();
  for (const spelling of spellings) {
    const name = nameOf(spelling);
    groups.set(name, (groups.get(name) ?? new Set()).add(spelling));
  }
  const rows = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, all]) => `| \`${escape(name)}\` | ${[...all].map((one) => `\`${escape(one)}\``).join(', ')} |`,
    );
  return ['| name | takes |', '| --- | --- |', ...rows].join('\n');
}

function nameOf(spelling: string): string {
  const called = /^([a-z_0-9]+)\(/.exec(spelling)?.[1];
  if (called !== undefined) return called;
  if (spelling.includes('::')) return 'cast';
  return /(?:^| )([-+*/<>=~!@#%^&|`?]+) /.exec(spelling)?.[1] ?? spelling;
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** Functions of the engine that have no spelling although a user would call them by one. */
export function unspelled(spellings: readonly Spelling[]): string[] {
  const known = new Set(spellings.map(({ fn }) => fn));
  return Object.values(FAMILIES)
    .flatMap((family) => Object.keys(family))
    .filter((fn) => !known.has(fn) && !UNNAMED.test(fn));
}
