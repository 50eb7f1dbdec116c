import type { PgText } from '@sluice/core/value';
import type { FuzzQuery } from './fuzz-case.js';
import type { Outcome, Prepared, World } from './world.js';

/**
 * Whether rows are an answer that Postgres gives. `open`: SQL leaves several answers open, and Postgres gives this one
 * when it plans otherwise. `unraised`: Postgres raises an error, maybe at a row that the answer does not need, since it
 * is free in what it evaluates first. `slow`: it took too long to be asked again and again.
 */
export type Verdict = 'equal' | 'open' | 'unraised' | 'slow' | { readonly wrong: string };

export type Rows = readonly (readonly PgText[])[];

const CANCELLED = '57014';
const ROWS_MAX = 3_000;

export interface Question {
  readonly world: World;
  readonly query: FuzzQuery;
  readonly prepared: Prepared;
  readonly binding: readonly PgText[];
  /** Whether an answer where Postgres raises an error is wrong. */
  readonly errors: boolean;
}

export type Judge = typeof judge;

/** @param held rows, or null where an error of Postgres is what is claimed */
export async function judge(question: Question, truth: Outcome, held: Rows | null): Promise<Verdict> {
  if (isSlow(truth)) return 'slow';
  if (await agrees(question, truth, held)) return 'equal';
  const { world, query, binding } = question;
  for await (const other of world.others(query.sql, binding)) {
    if (isSlow(other)) return 'slow';
    if (await agrees(question, other, held)) return 'open';
  }
  if (truth.kind === 'error' && !question.errors) return 'unraised';
  return { wrong: described(truth, held) };
}

function isSlow(outcome: Outcome): boolean {
  return outcome.kind === 'error' ? outcome.code === CANCELLED : outcome.rows.length > ROWS_MAX;
}

async function agrees(
  { world, query, binding }: Question,
  truth: Outcome,
  held: Rows | null,
): Promise<boolean> {
  if (truth.kind === 'error' || held === null) return truth.kind === 'error' && held === null;
  const { rows } = truth;
  const { ordering } = query;
  if (ordering.kind !== 'columns')
    return ordering.kind === 'total' ? textOf(rows) === textOf(held) : sortedText(rows) === sortedText(held);
  const { columns } = ordering;
  const pick = (list: Rows): Rows => list.map((row) => columns.map((at) => row[at] ?? null));
  if (textOf(pick(rows)) !== textOf(pick(held))) return false;
  if (query.unlimited === null || sortedText(rows) === sortedText(held))
    return sortedText(rows) === sortedText(held);
  const all = await world.once(query.unlimited, binding);
  return all.kind === 'rows' && isWithin(held, all.rows);
}

/** Whether each of the rows is one of the others. */
function isWithin(rows: Rows, all: Rows): boolean {
  const left = new Map<string, number>();
  for (const row of all) left.set(JSON.stringify(row), (left.get(JSON.stringify(row)) ?? 0) + 1);
  return rows.every((row) => {
    const text = JSON.stringify(row);
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count > 0;
  });
}

export function textOf(rows: Rows): string {
  return JSON.stringify(rows);
}

export function sortedText(rows: Rows): string {
  return JSON.stringify(rows.map((row) => JSON.stringify(row)).toSorted());
}

function described(truth: Outcome, held: Rows | null): string {
  if (truth.kind === 'error')
    return `Postgres raises ${truth.code}, the engine holds ${held?.length ?? 0} rows`;
  if (held === null) return 'an error is shown where Postgres has an answer';
  const [mine, theirs] = [
    held.map((row) => JSON.stringify(row)),
    truth.rows.map((row) => JSON.stringify(row)),
  ];
  return `Postgres: ${shortened(theirs)}\nheld: ${shortened(mine)}`;
}

function shortened(rows: readonly string[]): string {
  return rows.length > 12 ? `${rows.slice(0, 12).join(' ')} … (${rows.length})` : rows.join(' ');
}
