import type { Run } from '../source/source.js';

/** A step of Postgres's own plan of a statement: what it expects by its statistics, before anything is run. */
export interface PostgresPlan {
  /** Rows that the step gives each time that it is done. */
  readonly rows: number;
  /** Bytes of the values of one of them. */
  readonly width: number;
  /** The table that it reads. */
  readonly table: { readonly schema: string; readonly name: string } | null;
  readonly steps: readonly {
    readonly plan: PostgresPlan;
    /** Done anew for each row: of the step beside it in a nested loop, or of the one that asks a subquery. */
    readonly each: 'once' | 'outer' | 'own';
  }[];
}

/**
 * Asks Postgres how it would run a statement whose parameters may be anything. For one with parameters that takes
 * Postgres 16. @param run in the transaction of the role that would run it
 */
export async function postgresPlan(run: Run, text: string, params: number): Promise<PostgresPlan> {
  const generic = params === 0 ? '' : ', GENERIC_PLAN';
  const { rows } = await run(`EXPLAIN (VERBOSE, FORMAT JSON${generic}) ${text}`);
  const [explained] = JSON.parse(rows[0]?.[0] ?? '[]') as readonly { readonly Plan: Node }[];
  if (explained === undefined) throw new Error('assertion failed: an explanation is a list of one plan');
  return planOf(explained.Plan);
}

/** As Postgres calls it (manual, "EXPLAIN"). */
interface Node {
  readonly 'Node Type': string;
  readonly 'Plan Rows': number;
  readonly 'Plan Width': number;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly 'Parent Relationship'?: string;
  readonly Plans?: readonly Node[];
}

function planOf(node: Node): PostgresPlan {
  const { Schema: schema, 'Relation Name': name } = node;
  const isLoop = node['Node Type'] === 'Nested Loop';
  return {
    rows: node['Plan Rows'],
    width: node['Plan Width'],
    table: schema === undefined || name === undefined ? null : { schema, name },
    steps: (node.Plans ?? []).map((one) => {
      const relation = one['Parent Relationship'];
      const each = relation === 'SubPlan' ? 'own' : isLoop && relation === 'Inner' ? 'outer' : 'once';
      return { plan: planOf(one), each };
    }),
  };
}
