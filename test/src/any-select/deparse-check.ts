import { encodeParams } from '@sluice/client';
import { analyse, type Analysis } from '@sluice/server/analysis/analyse';
import { deparse } from '@sluice/server/analysis/deparse';
import { OUTPUT_SETTINGS } from '@sluice/server/source/database';
import pg from 'pg';
import { ANY, OWN, TOTAL, type Entry } from './queries.js';
import { misplacedColumns } from './levels-check.js';
import { UNDERSTOOD } from './understood.js';

/** What became of one text of the corpus. */
export type Outcome =
  /** The algebra, printed as SQL, answers the same for each list of parameters. */
  | { readonly kind: 'equal'; readonly sql: string }
  /** Whole but for what it names. */
  | { readonly kind: 'unknown'; readonly sql: string; readonly what: readonly string[] }
  | { readonly kind: 'unavailable'; readonly sql: string; readonly why: string }
  /** Postgres itself refuses the text. */
  | { readonly kind: 'refused'; readonly sql: string; readonly why: string }
  | { readonly kind: 'different'; readonly sql: string; readonly deparsed: string; readonly how: string };

/** Analyses every text of the corpus as the service role, and compares what it answers with what its algebra does. */
export async function checkCorpus(urls: {
  readonly service: string;
  readonly owner: string;
}): Promise<readonly Outcome[]> {
  const service = new pg.Pool({ connectionString: urls.service, max: 1 });
  const owner = new pg.Client({ connectionString: urls.owner, types: { getTypeParser: () => String } });
  await owner.connect();
  for (const [name, value] of Object.entries(OUTPUT_SETTINGS)) await owner.query(`SET ${name} = '${value}'`);
  try {
    const outcomes: Outcome[] = [];
    for (const [entries, ordered] of [
      [TOTAL, true],
      [ANY, false],
      [OWN, false],
      [UNDERSTOOD, false],
    ] as const)
      for (const entry of entries) outcomes.push(await check(service, owner, entry, ordered));
    return outcomes;
  } finally {
    await owner.end();
    await service.end();
  }
}

async function check(service: pg.Pool, owner: pg.Client, entry: Entry, ordered: boolean): Promise<Outcome> {
  const [sql, ...lists] = typeof entry === 'string' ? [entry] : entry;
  const types = await paramTypes(owner, sql);
  if (typeof types === 'string') return { kind: 'refused', sql, why: types };
  const analysis = await analyse(service, { sql, paramTypes: types, schemas: ['public'] });
  if (analysis.kind !== 'analysed') return { kind: 'unavailable', sql, why: analysis.reason };
  const what = unknownIn(analysis);
  if (what.length > 0) return { kind: 'unknown', sql, what };
  const misplaced = misplacedColumns(analysis.query);
  if (misplaced.length > 0) return { kind: 'different', sql, deparsed: '', how: misplaced.join() };
  const deparsed = deparse(analysis.query, analysis.facts);
  for (const list of lists.length === 0 ? [[]] : lists) {
    const params = [...encodeParams(list)];
    const right = await answer(owner, sql, params, ordered);
    const seen = await answer(owner, deparsed, params, ordered);
    if (right !== seen)
      return { kind: 'different', sql, deparsed, how: `${right.slice(0, 300)} but ${seen.slice(0, 300)}` };
  }
  return { kind: 'equal', sql };
}

/** As PREPARE resolves them; or why it does not take the text. */
async function paramTypes(owner: pg.Client, sql: string): Promise<readonly string[] | string> {
  try {
    await owner.query(`PREPARE corpus AS ${sql}`);
    const { rows } = await owner.query<{ readonly types: string }>(
      `SELECT to_json(parameter_types::text[])::text AS types FROM pg_prepared_statements WHERE name = 'corpus'`,
    );
    await owner.query('DEALLOCATE corpus');
    return JSON.parse(rows[0]?.types ?? '[]') as readonly string[];
  } catch (error) {
    return String(error);
  }
}

/** What of the algebra has no form. */
function unknownIn(analysis: Analysis): readonly string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('kind' in value && value.kind === 'unknown') found.add('tag' in value ? String(value.tag) : 'a cast');
    if ('kind' in value && value.kind === 'undecoded' && 'type' in value && analysis.kind === 'analysed') {
      const { oid } = value.type as { readonly oid: number };
      found.add(`a constant of ${analysis.facts.types.get(oid)?.name ?? '?'}`);
    }
    for (const inner of Object.values(value)) visit(inner);
  };
  if (analysis.kind === 'analysed') visit(analysis.query);
  return [...found];
}

/** Names and rows, or the SQLSTATE. */
async function answer(
  owner: pg.Client,
  text: string,
  values: readonly (string | null)[],
  ordered: boolean,
): Promise<string> {
  try {
    const result = await owner.query<(string | null)[]>({ text, values: [...values], rowMode: 'array' });
    const rows = result.rows.map((row) => JSON.stringify(row));
    const names = result.fields.map(({ name, dataTypeID }) => [name, dataTypeID]);
    return JSON.stringify([names, ordered ? rows : rows.toSorted()]);
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string')
      return `SQLSTATE ${error.code} ${process.env['SLUICE_SHOW_ERRORS'] === undefined ? '' : error.message}`;
    throw error;
  }
}
