import type { Random } from '../kit/random.js';
import type { Invariant } from './judge.js';
import type { JudgeQuery } from './query.js';

/** What a writer's step may do: statements in the transaction that the writer has opened around it. */
export interface WriteSession {
  sql(text: string, params?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export interface WriteStep {
  readonly name: string;
  readonly weight: number;
  run(session: WriteSession, random: Random): Promise<void>;
}

/** What a step that changes the schema may do besides: the shadow repeats it at the same place. */
export interface SchemaSession extends WriteSession {
  /** @param affects as in `JudgeQuery.reads` */
  ddl(text: string, affects: readonly string[]): Promise<void>;
}

/** A step in a transaction of its own. */
export interface SchemaStep {
  readonly name: string;
  /** A statement that takes no transaction around it, and that changes nothing: the shadow is not told. */
  readonly alone?: string;
  run(session: SchemaSession, random: Random): Promise<void>;
}

/** Tables, the writers that disturb them, and the queries that are watched meanwhile. */
export interface Workload {
  readonly name: string;
  readonly schema: string;
  /** Rows to begin with: one SQL text, run on the primary and on the shadow alike, so it may hold nothing random. */
  rows(random: Random): string;
  readonly steps: readonly WriteStep[];
  readonly schemaSteps?: readonly SchemaStep[];
  /** Run at the end: everything that the queries name is there. */
  readonly schemaEnd?: SchemaStep['run'];
  readonly queries: readonly JudgeQuery[];
  readonly invariants: readonly Invariant[];
  /** Ids of queries that every client watches all the time (the invariants read them). */
  readonly always: readonly string[];
}

export function step(name: string, weight: number, run: WriteStep['run']): WriteStep {
  return { name, weight, run };
}

/** A query that reads the clock; see `ClockQuery`. */
export function clockQuery(
  order: 'ordered' | 'any order',
  id: string,
  reads: readonly string[],
  breaks: string,
  sql: string,
): JudgeQuery {
  return { ...query('rerun', order, id, reads, sql), clock: { tick: '1s', tickMs: 1000, breaks } };
}

/** Queries of one workload read like a table: id, tables read, SQL, parameters. */
export function query(
  gear: JudgeQuery['gear'],
  order: 'ordered' | 'any order',
  id: string,
  reads: readonly string[],
  sql: string,
  params?: JudgeQuery['params'],
): JudgeQuery {
  return { id, sql, reads, ordered: order === 'ordered', gear, ...(params ? { params } : {}) };
}
