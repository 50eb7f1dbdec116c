import type { PgText } from '@sluice/core/value';
import type { Ordering } from './made-query.js';

/**
 * How the transactions of a case follow each other when the whole product replays it: each is compared before the next;
 * all follow the first answer without waiting; or they are written while that is on its way.
 */
export type Manner = (typeof MANNERS)[number];
export const MANNERS = ['one by one', 'at once', 'while opening'] as const;

/** A query with what happens underneath it: as SQL, so that it stays readable, and can be replayed, for ever. */
export interface FuzzCase {
  /** What is special about it. */
  readonly what: string;
  readonly schema: readonly string[];
  readonly query: FuzzQuery;
  /** What is there when it is subscribed to, then what happens, statement by statement. */
  readonly rows: readonly string[];
  readonly transactions: readonly (readonly string[])[];
  /** Over the socket; null for what the engine alone shows. */
  readonly manner: Manner | null;
}

export interface FuzzQuery {
  readonly sql: string;
  /** The same without LIMIT, where its order leaves open which rows it shows. */
  readonly unlimited: string | null;
  readonly ordering: Ordering;
  readonly bindings: readonly (readonly PgText[])[];
}

/** One statement a line. */
export function caseText({ what, schema, query, rows, transactions, manner }: FuzzCase): string {
  const ordering =
    query.ordering.kind === 'columns' ? `columns ${query.ordering.columns.join(' ')}` : query.ordering.kind;
  return [
    ...what.split('\n').map((line) => `-- ${line}`),
    ...(manner === null ? [] : [`-- socket: ${manner}`]),
    '-- schema:',
    ...schema.map(ended),
    '-- rows:',
    ...rows.map(ended),
    `-- ordering: ${ordering}`,
    ...query.bindings.map((binding) => `-- binding: ${JSON.stringify(binding)}`),
    ...(query.unlimited === null ? [] : ['-- unlimited:', ended(query.unlimited)]),
    '-- query:',
    ended(query.sql),
    ...transactions.flatMap((statements) => ['-- transaction:', ...statements.map(ended)]),
    '',
  ].join('\n');
}

export function readCase(text: string): FuzzCase {
  const what: string[] = [];
  const sections = new Map<string, string[]>();
  const transactions: string[][] = [];
  const bindings: PgText[][] = [];
  let ordering: Ordering = { kind: 'none' };
  let manner: Manner | null = null;
  let into: string[] | null = null;
  for (const line of text.split('\n')) {
    const [, word, rest = ''] =
      /^-- (socket|schema|rows|ordering|binding|unlimited|query|transaction):(.*)$/.exec(line) ?? [];
    if (word === 'ordering') ordering = readOrdering(rest.trim());
    else if (word === 'binding') bindings.push(JSON.parse(rest) as PgText[]);
    else if (word === 'socket') manner = MANNERS.find((one) => one === rest.trim()) ?? null;
    else if (word === 'transaction') transactions.push((into = []));
    else if (word !== undefined) sections.set(word, (into = []));
    else if (into === null && line.startsWith('-- ')) what.push(line.slice(3));
    else if (into !== null && line !== '') into.push(line.replace(/;$/, ''));
  }
  return {
    what: what.join('\n'),
    schema: sections.get('schema') ?? [],
    rows: sections.get('rows') ?? [],
    query: {
      sql: sections.get('query')?.[0] ?? '',
      unlimited: sections.get('unlimited')?.[0] ?? null,
      ordering,
      bindings,
    },
    transactions,
    manner,
  };
}

function readOrdering(text: string): Ordering {
  const [kind, ...columns] = text.split(' ');
  if (kind === 'columns') return { kind, columns: columns.map(Number) };
  return { kind: kind === 'total' ? 'total' : 'none' };
}

function ended(statement: string): string {
  return `${statement};`;
}
