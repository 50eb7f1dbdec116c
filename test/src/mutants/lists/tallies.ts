import type { Mutant } from '../mutant.js';

const TEST = 'packages/server/src/views/tallies.pg.test.ts';
const RANDOM = [TEST, 'after each of many transactions they are what Postgres answers'] as const;

/** Aggregates without the rows of their table: docs/decisions/065. */
export const TALLIES: readonly Mutant[] = [
  {
    breaks: 'C10: of what a transaction does to equal rows the last counts',
    file: 'packages/core/src/flow/tally-engine.ts',
    find: 'else known.times += by;',
    replace: 'else known.times = by;',
    caughtBy: RANDOM,
  },
  {
    breaks: 'tallies: what is equal and prints differently is read as one',
    file: 'packages/server/src/planner/blocks/demand-sql.ts',
    find: 'if (BY_THEMSELVES.has(kind)) return column;',
    replace: "if (kind !== 'text') return column;",
    caughtBy: [TEST, 'what is equal and prints differently is read apart'],
  },
  {
    breaks: 'C5: what the snapshot of a tally did not see is not put on top',
    file: 'packages/server/src/views/block-gear.ts',
    find: 'engine.apply(own.rows, own.images).missed',
    replace: 'engine.apply(own.rows).missed',
    caughtBy: [TEST, 'C5: what is opened while others write has each change once'],
  },
  {
    breaks: 'tallies: a row that is sent by its key alone counts as one of NULLs',
    file: 'packages/server/src/views/table-changes.ts',
    find: "(change.identity !== 'full' || change.old === null)",
    replace: 'change.old === null',
    caughtBy: [TEST, 'a replica identity that changes makes plans that hold rows'],
  },
  {
    breaks: 'C20: one leaf that brings whole rows is enough',
    file: 'packages/server/src/registry/read-registry.ts',
    find: "relation.kind === 'p' ? below.every(Boolean)",
    replace: "relation.kind === 'p' ? below.some(Boolean)",
    caughtBy: [TEST, 'C20: of a partitioned table all leaves'],
  },
];
