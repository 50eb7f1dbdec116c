import type { Mutant } from '../mutant.js';

const VIEWS = 'packages/server/src/views';
const PLANNER = 'packages/server/src/planner';
const OPENING = `${VIEWS}/opening.pg.test.ts`;

/** Definitions that change under plans (C23). */
export const SCHEMA_CHANGES: readonly Mutant[] = [
  {
    breaks: 'C23: a plan of a later schema is kept as one of the schema before',
    file: `${PLANNER}/planner.ts`,
    find: 'if (this.#options.registry() !== registry) forget();',
    replace: '',
    caughtBy: [OPENING, 'Postgres knows of a change that the registry does not know of yet'],
  },
  {
    breaks: 'C23: a view is opened under a plan from before a change that was told meanwhile',
    file: `${VIEWS}/view-plans.ts`,
    find: 'if (before === this.#schemas && !meant) return { planned, binding };',
    replace: 'return { planned, binding };',
    caughtBy: [OPENING, 'the schema changes after the plan was made'],
  },
  {
    breaks: 'C23: a view is opened under a plan from before DDL that only the stream has told of',
    file: `${VIEWS}/view-plans.ts`,
    find: 'if (before === this.#schemas && !meant) return',
    replace: 'if (before === this.#schemas && (!meant || told >= 0)) return',
    caughtBy: [OPENING, 'the stream tells of DDL while the query is planned'],
  },
  {
    breaks: 'C23: what waits for its plan, while a table is locked, passes for current',
    file: `${VIEWS}/view-plans.ts`,
    find: 'await this.#tell(relations, anything);',
    replace: 'void relations;',
    caughtBy: ['test/src/schema-changes.pg.test.ts', 'while a table that was altered is locked'],
  },
  {
    breaks: 'C23: a change of the schema is not noticed while a table is locked',
    file: 'packages/server/src/registry/catalog-sql.ts',
    find: 'p.prosrc, p.probin, p.prosqlbody,',
    replace: 'p.prosrc, p.probin, pg_get_function_sqlbody(p.oid),',
    caughtBy: [
      'packages/server/src/registry/read-registry.pg.test.ts',
      'nothing that is locked is waited for',
    ],
  },
  {
    breaks: 'C23: a plan is made of the definition of a view that the registry does not know',
    file: `${PLANNER}/planner.ts`,
    find: 'await checkDefinitions(run, registry, dependencies.views);',
    replace: '',
    caughtBy: [`${PLANNER}/planner-views.pg.test.ts`, 'a plan through a view is made of the definition'],
  },
  {
    breaks: 'C23: one half of a plan is of another schema than the other half',
    file: `${PLANNER}/planner.ts`,
    find: 'await checkColumns(session.run, registry, dependencies.reads);',
    replace: '',
    caughtBy: [OPENING, 'Postgres knows of a change that the registry does not know of yet'],
  },
];
