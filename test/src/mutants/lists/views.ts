import type { Mutant } from '../mutant.js';

const VIEWS = 'packages/server/src/views';
const PLANNER = 'packages/server/src/planner';
const HOST = `${VIEWS}/view-host.pg.test.ts`;
const INCREMENTAL = `${VIEWS}/incremental-template.test.ts`;
const RERUN = `${VIEWS}/rerun-template.test.ts`;
const OPENING = `${VIEWS}/opening.pg.test.ts`;
const KEYS = `${VIEWS}/keyed-rows.test.ts`;
const RULES = `${VIEWS}/rules.pg.test.ts`;

/** C6, C8 to C11, C16, C17, C20 to C22, C26: what the gears make of snapshots and stream. */
export const VIEW_RULES: readonly Mutant[] = [
  {
    breaks: 'C23: a view is opened under a plan from before a change that was told meanwhile',
    file: `${VIEWS}/view-host.ts`,
    find: 'if (before === this.#schemas) return { planned, binding };',
    replace: 'return { planned, binding };',
    caughtBy: [OPENING, 'the schema changes after the plan was made'],
  },
  {
    breaks: 'C23: one half of a plan is of another schema than the other half',
    file: `${PLANNER}/planner.ts`,
    find: 'await checkColumns(session.run, registry, dependencies.reads);',
    replace: '',
    caughtBy: [OPENING, 'Postgres knows of a change that the registry does not know of yet'],
  },
  {
    breaks: 'C6: transactions that were forgotten are still taken for told',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'if (least !== null) for (const one of this.#dirty) raiseBase(one, least);',
    replace: 'void least;',
    caughtBy: [RERUN, 'an answer is known only at positions whose transactions are exactly those it saw'],
  },
  {
    breaks: 'C6: a result is published although it lacks what its base has',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'if (until !== null && until.lsn <= least) return false;',
    replace: '',
    caughtBy: [RERUN, 'an answer is known only at positions whose transactions are exactly those it saw'],
  },
  {
    breaks: 'C6: a result holds on past the first transaction that it did not see',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'one.view.gap(until.previous);',
    replace: '',
    caughtBy: [RERUN, 'an answer is known only at positions whose transactions are exactly those it saw'],
  },
  {
    breaks: 'C6: a result is published before the last transaction that it saw',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'return { seen: this.#log.lastSeen(snapshot, began), until, upper };',
    replace: 'void this.#log.lastSeen(snapshot, began);\n    return { seen: null, until, upper };',
    caughtBy: [RERUN, 'an answer is known only at positions whose transactions are exactly those it saw'],
  },
  {
    breaks: 'C6: a result that stands nowhere is not run again',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'if (until !== null && until.lsn <= least) return false;',
    replace: 'if (until !== null && until.lsn <= least) return this.#dirty.delete(one) && false;',
    caughtBy: [RERUN, 'an answer is known only at positions whose transactions are exactly those it saw'],
  },
  {
    breaks: 'C6: each template of a round has a snapshot of its own',
    file: `${VIEWS}/rerun-rounds.ts`,
    find: 'await this.#attempt(work);\n      // Who',
    replace: 'for (const one of work) await this.#attempt([one]);\n      // Who',
    caughtBy: [RULES, 'C6: the re-runs of one round share a snapshot'],
  },
  {
    breaks: 'C8: what was streamed and not seen is not applied to what was fetched',
    file: `${VIEWS}/incremental-template.ts`,
    find: 'const steps = this.#stepsOf(fetch.unseen());',
    replace: 'const steps = this.#stepsOf(fetch.unseen().slice(0, 0));',
    caughtBy: [INCREMENTAL, 'C8: a row that was deleted, or left the key, after the read is no ghost'],
  },
  {
    breaks: 'C8: a delete that sends its key alone finds no row',
    file: 'packages/core/src/engine/table-engine.ts',
    find: 'if (holding) this.#drop(holding, effects);\n      return;\n    }\n    const matches',
    replace: 'return;\n    }\n    const matches',
    caughtBy: [RULES, 'C8: under DEFAULT identity no ghost stays'],
  },
  {
    breaks: 'C8: a row whose key changes stays under the old one',
    file: `${VIEWS}/table-changes.ts`,
    find: 'const event = { oldKey: this.#key(old), newKey: this.#key(values), values };',
    replace: 'const event = { oldKey: this.#key(values), newKey: this.#key(values), values };',
    caughtBy: [RULES, 'C8: under DEFAULT identity no ghost stays'],
  },
  {
    breaks: 'C8: changes are looked at only by the demanded key, which the new image has left',
    file: 'packages/core/src/engine/table-engine.ts',
    find: 'const holding = this.#held.get(key);\n    if (values === null) {',
    replace:
      'const holding = values !== null && this.#matching(values, effects).size === 0 ? undefined : this.#held.get(key);\n    if (values === null) {',
    caughtBy: [RULES, 'C8: under DEFAULT identity no ghost stays'],
  },
  {
    breaks: 'C8: an unchanged TOAST value is not taken from the held row',
    file: 'packages/core/src/engine/table-engine.ts',
    find: 'net.rows.set(event.newKey, fill(event.values, old ?? event.oldValues));',
    replace: 'net.rows.set(event.newKey, event.values);',
    caughtBy: [
      HOST,
      'a value that was not sent is fetched when a row moves in, and kept when it is held (C8)',
    ],
  },
  {
    breaks: 'C8: an unchanged TOAST value that is not held is taken for NULL',
    file: 'packages/core/src/engine/table-engine.ts',
    find: 'return !values.includes(undefined);\n}',
    replace: 'return values.length > 0;\n}',
    caughtBy: [
      HOST,
      'a value that was not sent is fetched when a row moves in, and kept when it is held (C8)',
    ],
  },
  {
    breaks: 'C9: a row whose condition cannot be decided does not match',
    file: 'packages/core/src/engine/table-engine.ts',
    find: 'if (!decidable) effects.missed.add(member);\n        else if',
    replace: 'if (!decidable) continue;\n        else if',
    caughtBy: [RULES, 'C9: a row whose condition cannot be decided is a miss'],
  },
  {
    breaks: 'C9: re-runs are pruned by deletes of which only the key is known',
    file: `${VIEWS}/template-index.ts`,
    find: 'for (const table of changes.keys())',
    replace:
      "for (const [table] of [...changes].filter(([, one]) => one.unknown || one.changes.some(({ kind }) => kind !== 'delete')))",
    caughtBy: [RULES, 'C9: a delete of which only the key is known may have matched anything'],
  },
  {
    breaks: 'C10: a transaction is applied change by change',
    file: 'packages/core/src/engine/table-engine.ts',
    find: 'const net = this.#consolidate(events);',
    replace:
      'if (events.length > 1) { for (const event of events) { const one = this.apply([event]); for (const [member, ops] of one.ops) opsOf(effects, member).push(...ops); for (const member of one.missed) effects.missed.add(member); } return effects; } const net = this.#consolidate(events);',
    caughtBy: [
      'packages/core/src/engine/table-engine.test.ts',
      'C10: what a transaction does in between is neither seen nor missed',
    ],
  },
  {
    breaks: 'C10: what was there before a TRUNCATE comes back after it',
    file: 'packages/core/src/engine/table-engine.ts',
    find: 'net.truncated = true;\n        net.rows.clear();',
    replace: 'net.truncated = true;',
    caughtBy: [
      'packages/core/src/engine/table-engine.test.ts',
      'C10: what was written before a TRUNCATE is gone with it',
    ],
  },
  {
    breaks: 'C11: a window that ran dry is shown short',
    file: 'packages/core/src/engine/table-engine.ts',
    find: 'for (const member of effects.ops.keys()) if (member.rows.dry) effects.missed.add(member);',
    replace: '',
    caughtBy: [RULES, 'C11: a window that runs dry is read again, and what was told before counts'],
  },
  {
    breaks: 'C11: what a binding was to be told before it missed is lost',
    file: `${VIEWS}/incremental-template.ts`,
    find: 'one.view.delta(at, [...one.carry, ...diffRows(one.shown, rows,',
    replace: 'one.view.delta(at, [...diffRows(one.shown, rows,',
    caughtBy: [RULES, 'C11: a window that runs dry is read again, and what was told before counts'],
  },
  {
    breaks: 'C11: a binding that missed is said to hold until it is covered',
    file: `${VIEWS}/incremental-template.ts`,
    find: '    this.#leave(one);\n    one.view.gap(through);\n    this.#hydrate(one);',
    replace: '    this.#leave(one);\n    this.#hydrate(one);',
    caughtBy: [INCREMENTAL, 'C11: a binding that missed is not known to hold until it is covered'],
  },
  {
    breaks: 'C11: a row behind the last known one of a window is taken for the next',
    file: 'packages/core/src/engine/member-rows.ts',
    find: 'if (!this.#complete && at === this.#rows.length) return false;',
    replace: '',
    caughtBy: [
      'packages/core/src/engine/table-engine.test.ts',
      'C11: what sorts behind the last known row of a window',
    ],
  },
  {
    breaks: 'C16: no key is appended to the order of a window that is read',
    file: `${PLANNER}/hydrate-sql.ts`,
    find: "return [...terms, ...plan.key.map((column) => columnSql(plan, column))].join(', ');",
    replace:
      "return terms.length > 0 ? terms.join(', ') : plan.key.map((column) => columnSql(plan, column)).join(', ');",
    caughtBy: [RULES, 'C16: ties are broken by the key, in what is read and in what is followed'],
  },
  {
    breaks: 'C16: no key is appended to the order of a window that is followed',
    file: 'packages/core/src/engine/table-engine.ts',
    find: '...plan.key.map((column) => ({ column, descending: false, nullsFirst: false })),',
    replace: '',
    caughtBy: [RULES, 'C16: ties are broken by the key, in what is read and in what is followed'],
  },
  {
    breaks: 'C16: equal rows have one key',
    file: `${VIEWS}/keyed-rows.ts`,
    find: 'keyJson: JSON.stringify(occurrence === 1 ? hash : `${hash}.${occurrence}`), json',
    replace: 'keyJson: JSON.stringify(occurrence > 0 ? hash : hash), json',
    caughtBy: [KEYS, 'C16: rows without a key are keyed by their bytes and their occurrence'],
  },
  {
    breaks: 'C16: columns go on identifying rows when two agree in them',
    file: `${VIEWS}/keyed-rows.ts`,
    find: 'if (new Set(keyed.map((row) => row.keyJson)).size === rows.length)',
    replace: 'if (keyed.length === rows.length)',
    caughtBy: [KEYS, 'C16: rows are keyed by the columns that identify them, as long as they do'],
  },
  {
    breaks: 'C16: an answer changes although what it is made of does not',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'else one.view.delta(to, diffRows(one.rows, keyed.rows, this.planned.shape.ordered));',
    replace: 'else one.view.delta(to, diffRows([], keyed.rows, this.planned.shape.ordered));',
    caughtBy: [RULES, 'C16: an answer that is the same tells nothing'],
  },
  {
    breaks: 'C17: what Postgres raises for one binding is the error of all',
    file: `${VIEWS}/statements.ts`,
    find: 'if (bindings.length === 1) return [{ error }];',
    replace: 'if (bindings.length > 0) return bindings.map(() => ({ error }));',
    caughtBy: [RULES, 'C17: an error of one binding is not that of the others'],
  },
  {
    breaks: 'C17: an error is not mended by the next change, re-run',
    file: `${VIEWS}/rerun-template.ts`,
    find: '    this.#dirty.delete(one);\n    this.#valid.add(one);\n    return true;',
    replace:
      "    this.#dirty.delete(one);\n    if (!('error' in outcome)) this.#valid.add(one);\n    return true;",
    caughtBy: [RULES, 'C17: an answer that is again what it was before the error is told'],
  },
  {
    breaks: 'C17: an error is not mended by the next change, incremental',
    file: `${VIEWS}/incremental-template.ts`,
    find: 'for (const one of this.#failed) this.#retry(one, transaction.previous);',
    replace: '',
    caughtBy: [HOST, 'a result beyond the bound is an error until it shrinks, in both gears'],
  },
  {
    breaks: 'C17: an answer that cannot be computed is an empty one',
    file: `${VIEWS}/rerun-template.ts`,
    find: "if ('error' in outcome) return one.view.error(to, answerError(outcome.error).toWire());",
    replace: "if ('error' in outcome) return this.#tell(one, { rows: [] }, to);",
    caughtBy: [HOST, 'an error is an answer, and the view recovers with the change that mends it (C17)'],
  },
  {
    breaks: 'C20: a leaf that is truncated empties its root',
    file: `${VIEWS}/table-changes.ts`,
    find: "if (change.kind === 'truncate' && table !== change.relation.oid) of(table).unknown = true;\n      else of",
    replace: 'of',
    caughtBy: [HOST, 'partitions: rows of a root come and go with its leaves (C20)'],
  },
  {
    breaks: 'C20: leaves do not belong to their roots',
    file: `${VIEWS}/assemble.ts`,
    find: 'list.push(parent);',
    replace: '',
    caughtBy: [HOST, 'partitions: rows of a root come and go with its leaves (C20)'],
  },
  {
    breaks: 'C20: a publication that speaks for the root is accepted',
    file: 'packages/server/src/registry/read-registry.ts',
    find: "if (found.viaRoot) throw registryError('publication_via_root', publication);",
    replace: '',
    caughtBy: [
      'packages/server/src/registry/read-registry.pg.test.ts',
      'refuses a publication that would hide changes: ',
    ],
  },
  {
    breaks: 'C20: columns of a leaf go by their place, not by their name',
    file: `${VIEWS}/table-changes.ts`,
    find: 'relation.columns.findIndex((one) => one.name === column.name),',
    replace:
      'this.#plan.columns.indexOf(column) + 0 * relation.columns.findIndex((one) => one.name === column.name),',
    caughtBy: [RULES, 'C20: a leaf with its columns in another order is read by name'],
  },
  {
    breaks: 'C20: a partition that comes is not noticed',
    file: 'packages/server/src/registry/registry-difference.ts',
    find: 'if (table.partitionOf !== null) rewritten.add(table.partitionOf);',
    replace: '',
    caughtBy: [RULES, 'C20: a leaf that is attached or detached brings and takes its rows'],
  },
  {
    breaks: 'C20: a partition that goes is not noticed',
    file: 'packages/server/src/registry/registry-difference.ts',
    find: 'if (root !== null) rewritten.add(root);',
    replace: '',
    caughtBy: [RULES, 'C20: a leaf that is attached or detached brings and takes its rows'],
  },
  {
    breaks: 'C20: a partition that is dropped is not noticed',
    file: 'packages/server/src/registry/registry-difference.ts',
    find: 'if (partitionOf !== null && !next.tables.has(oid)) rewritten.add(partitionOf);',
    replace: 'void partitionOf;',
    caughtBy: [RULES, 'C20: a leaf that is attached or detached brings and takes its rows'],
  },
  {
    breaks: 'C20: rows of a leaf that is attached or detached stay as they were',
    file: `${VIEWS}/view-host.ts`,
    find: "if (read.length > 0) await this.#options.emit(REWRITE_PREFIX, read.join(','));",
    replace: 'void read;',
    caughtBy: [RULES, 'C20: a leaf that is attached or detached brings and takes its rows'],
  },
  {
    breaks: 'C21: what is re-run is run with the rights of the reader',
    file: `${VIEWS}/rerun-rounds.ts`,
    find: 'await become(run, template.principal);',
    replace: '',
    caughtBy: [RULES, 'C21, C22: what is re-run is run as the client, under its role and all of its claims'],
  },
  {
    breaks: 'C22: bindings that differ in their claims are one',
    file: `${VIEWS}/view-id.ts`,
    find: 'const parts = [template, binding, principal.role, canonicalJson(principal.claims), tickMs];',
    replace: 'const parts = [template, binding, principal.role, tickMs];',
    caughtBy: [RULES, 'C21, C22: what is re-run is run as the client, under its role and all of its claims'],
  },
  {
    breaks: 'C22: templates are run for others of the same role, whatever their claims',
    file: `${VIEWS}/view-host.ts`,
    find: 'const key = JSON.stringify([planned.template, principal.role, canonicalJson(principal.claims), tickMs]);',
    replace: 'const key = JSON.stringify([planned.template, principal.role, tickMs]);',
    caughtBy: [RULES, 'C21, C22: what is re-run is run as the client, under its role and all of its claims'],
  },
  {
    breaks: 'C22: the body of a function is not read',
    file: `${PLANNER}/function-body.ts`,
    find: "return found.language === 'sql' ? sqlBody(source) : plpgsqlBody(source);",
    replace: "return found.language === 'plpgsql' ? plpgsqlBody(source) : { kind: 'recorded' };",
    caughtBy: [RULES, 'C22: a function depends on what its body reads'],
  },
  {
    breaks: 'C22: SQL that a function builds reads nothing',
    file: `${PLANNER}/function-body.ts`,
    find: "if (!collectPlpgsql(tree, texts)) return opaque('it runs SQL that it builds itself (EXECUTE)');",
    replace: 'collectPlpgsql(tree, texts);',
    caughtBy: [RULES, 'C22: a function that cannot be seen into depends on every transaction'],
  },
  {
    breaks: 'C22: what reads anything is run again with its own tables only',
    file: `${VIEWS}/template-index.ts`,
    find: 'if (readsAnything || template.tickMs > 0) this.#anything.add(template);',
    replace: 'if (template.tickMs > 0) this.#anything.add(template);',
    caughtBy: [RULES, 'C22: a function that cannot be seen into depends on every transaction'],
  },
  {
    breaks: 'C26: a token names the position before its transaction',
    file: `${VIEWS}/view-host.ts`,
    find: "this.#listener({ kind: 'token', token, lsn: transaction.lsn });",
    replace: "this.#listener({ kind: 'token', token, lsn: transaction.previous });",
    caughtBy: [HOST, 'C26: the batch that reaches a token holds what its transaction changed'],
  },
  {
    breaks: 'C26: a batch claims the position of a transaction whose changes it lacks',
    file: `${VIEWS}/view-host.ts`,
    find: '    this.#version = at;\n    if (isAltering',
    replace: '    this.#version = at;\n    this.#flush();\n    if (isAltering',
    caughtBy: [HOST, 'C26: the batch that reaches a token holds what its transaction changed'],
  },
  {
    breaks: 'C26: a token outlives its transaction',
    file: 'packages/server/src/commit-token.ts',
    find: 'SELECT pg_logical_emit_message(true,',
    replace: 'SELECT pg_logical_emit_message(false,',
    caughtBy: ['packages/server/src/commit-token.pg.test.ts', 'a client of pg'],
  },
];
