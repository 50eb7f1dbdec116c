import type { Random } from '../kit/random.js';
import type { Invariant } from './judge.js';
import { bind, type Bound, type JudgeQuery } from './query.js';
import type { SchemaStep, Workload, WriteStep } from './workload.js';
import { accounts } from './workloads/accounts.js';
import { clock } from './workloads/clock.js';
import { schema } from './workloads/schema.js';
import { tables } from './workloads/tables.js';
import { tracker } from './workloads/tracker.js';

/** What needs no planner: plans for it are written by hand elsewhere. */
const PLAIN = [accounts, tracker, tables];
/** Also what only the whole product can do. */
export const WHOLE: readonly Workload[] = [...PLAIN, clock, schema];

/** Several workloads in one database. */
export class Corpus {
  readonly #workloads: readonly Workload[];
  readonly queries: readonly JudgeQuery[];
  readonly steps: readonly WriteStep[];
  readonly schemaSteps: readonly SchemaStep[];
  readonly invariants: readonly Invariant[];
  readonly schemaEnds: readonly SchemaStep['run'][];
  /** What every client watches from beginning to end. */
  readonly always: readonly Bound[];

  constructor(workloads: readonly Workload[] = PLAIN) {
    this.#workloads = workloads;
    this.queries = workloads.flatMap((workload) => workload.queries);
    this.steps = workloads.flatMap((workload) => workload.steps);
    this.schemaSteps = workloads.flatMap((workload) => workload.schemaSteps ?? []);
    this.schemaEnds = workloads.flatMap(({ schemaEnd }) => schemaEnd ?? []);
    this.invariants = workloads.flatMap((workload) => workload.invariants);
    const ids = new Set(workloads.flatMap((workload) => workload.always));
    this.always = this.queries.filter(({ id }) => ids.has(id)).map((query) => bind(query, []));
  }

  get schema(): string {
    return this.#workloads.map((workload) => workload.schema).join('\n');
  }

  /** DDL and first rows: the same text for the primary and the shadow. */
  setup(random: Random): string {
    return [this.schema, ...this.#workloads.map((workload) => workload.rows(random))].join('\n');
  }

  /** A binding of the query at a place that goes round: who takes places in turn misses no query. */
  turn(place: number, random: Random): Bound {
    const query = this.queries[place % this.queries.length];
    if (!query) throw new Error('assertion failed: no queries');
    return bind(query, query.params?.(random) ?? []);
  }

  /** Of the configuration: the queries that are asked by name. */
  get named(): Readonly<Record<string, { readonly sql: string }>> {
    const named = this.queries.filter((query) => query.named === true);
    return Object.fromEntries(named.map(({ id, sql }) => [id, { sql }]));
  }

  /** The queries that were never compared. */
  missing(compared: ReadonlySet<string>): readonly JudgeQuery[] {
    return this.queries.filter(({ id }) => !compared.has(id));
  }

  /** One that no change of the schema ends. */
  drawLasting(random: Random): Bound {
    const lasting = this.#workloads.filter(({ schemaSteps }) => schemaSteps === undefined);
    const query = random.pick(lasting.flatMap(({ queries }) => queries));
    return bind(query, query.params?.(random) ?? []);
  }

  /** A query with a binding, drawn at random; half of the time of those that were never compared so far. */
  draw(random: Random, compared?: ReadonlySet<string>): Bound {
    const missing = compared ? this.missing(compared) : [];
    const query = random.pick(missing.length > 0 && random.chance(0.5) ? missing : this.queries);
    return bind(query, query.params?.(random) ?? []);
  }
}
