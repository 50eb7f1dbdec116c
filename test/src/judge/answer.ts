import { createHash } from 'node:crypto';

export type TextRow = readonly (string | null)[];

/** What a client shows for a query, or what Postgres says: rows, or an error. */
export type Answer =
  | { readonly kind: 'rows'; readonly rows: readonly TextRow[]; readonly digest: string }
  | { readonly kind: 'error'; readonly digest: string; readonly detail: string };

/** The same digest for the same sequence of rows, or, unordered, for the same multiset. */
export function answerOf(rows: readonly TextRow[], ordered: boolean): Answer {
  const lines = rows.map((row) => JSON.stringify(row));
  if (!ordered) lines.sort();
  const hash = createHash('sha1');
  for (const line of lines) hash.update(line).update('\n');
  return { kind: 'rows', rows, digest: `${rows.length}:${hash.digest('base64')}` };
}

/** Where Postgres raises an error, a client must show one too (C17). */
export function errorAnswer(detail: string): Answer {
  return { kind: 'error', digest: `error ${detail}`, detail };
}

const SHOWN_MAX = 12;

/** What differs, in lines for a human: `-` Postgres has it and the client does not, `+` the other way round. */
export function diffOf(truth: Answer, seen: Answer): readonly string[] {
  if (truth.kind === 'error' || seen.kind === 'error')
    return [`postgres: ${summary(truth)}`, `client: ${summary(seen)}`];
  const counts = new Map<string, number>();
  for (const row of truth.rows) add(counts, JSON.stringify(row), 1);
  for (const row of seen.rows) add(counts, JSON.stringify(row), -1);
  const lines: string[] = [`postgres has ${truth.rows.length} rows, the client ${seen.rows.length}`];
  for (const [row, count] of counts) {
    if (count !== 0) lines.push(`${count > 0 ? '-' : '+'}${Math.abs(count)} ${row.slice(0, 300)}`);
  }
  if (lines.length === 1) lines.push(...orderDiff(truth.rows, seen.rows));
  return lines.slice(0, SHOWN_MAX);
}

function orderDiff(truth: readonly TextRow[], seen: readonly TextRow[]): readonly string[] {
  const at = truth.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(seen[i]));
  return [
    `same rows in another order, first at ${at}`,
    `- ${JSON.stringify(truth[at])?.slice(0, 300)}`,
    `+ ${JSON.stringify(seen[at])?.slice(0, 300)}`,
  ];
}

function summary(answer: Answer): string {
  return answer.kind === 'error' ? `error ${answer.detail}` : `${answer.rows.length} rows`;
}

function add(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
