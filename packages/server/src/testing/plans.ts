import type { TablePlan } from '@sluice/core/plan';
import type { Planned } from '../planner/planned.js';

/** A plan in the re-run gear, of one text column without a key: for tests of what runs it. */
export const RERUN_PLAN: Planned = {
  template: 't',
  shape: { columns: [{ name: 'seen', type: 'text', decoder: 'text' }], ordered: false },
  paramTypes: [],
  reads: [1],
  readsAnything: false,
  views: [],
  userCode: false,
  keyColumns: null,
  readsClock: false,
  concern: null,
  gear: { kind: 'rerun', sql: { pieces: ['SELECT 1'], refs: [], lateral: true }, reason: 'a test' },
};

/** A plan of one table in the incremental gear, without parameters of its own. */
export function tablePlanned(plan: TablePlan): Planned {
  return {
    ...RERUN_PLAN,
    shape: { columns: [], ordered: plan.order.length > 0 },
    reads: [plan.table],
    gear: { kind: 'incremental', plan, params: [], fallback: null },
  };
}
