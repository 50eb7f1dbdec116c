import type { Mutant } from '../mutant.js';

const FLOW = 'packages/core/src/flow';
const VIEWS = 'packages/server/src/views';
const BLOCKS = 'packages/server/src/planner/blocks';
/** Random blocks against nested loops. */
const LOOPS = [
  `${FLOW}/flow-engine.test.ts`,
  'what is held is what nested loops make of the tables',
] as const;
const BOUNDS = 'test/src/result-bounds.pg.test.ts';
/** Catching up of several tables. */
const STANDING = `${VIEWS}/block-standing.test.ts`;
const ANSWERS = [
  `${VIEWS}/answer-rows.test.ts`,
  'what a client makes of the operations is what the engine shows',
] as const;
/** Through planner, source and views. */
const HOST = `${VIEWS}/block-gear.pg.test.ts`;
const PLANNED = `${BLOCKS}/plan-blocks.pg.test.ts`;
const known = (query: string): readonly [string, string] => [STANDING, query];

const MISSES: readonly Mutant[] = [
  {
    breaks: 'joins: a row that demands another key below goes on leading to the one of before',
    file: `${FLOW}/input-store.ts`,
    find: 'row.below[at] = this.#demand(row, values);',
    replace: 'this.#demand(row, values);',
    caughtBy: LOOPS,
  },
  {
    breaks: 'joins: whatever a row demands below, it demands as before',
    file: `${FLOW}/compiled-block.ts`,
    find: '(left[at] ?? null) === (right[at] ?? null)',
    replace: 'left.length === right.length',
    caughtBy: LOOPS,
  },
  {
    breaks: 'C8: a row of which a value was not sent is gone',
    file: `${FLOW}/block-engine.ts`,
    find: 'if (partial !== undefined) blind.push(',
    replace: 'if (partial !== undefined && at < 0) blind.push(',
    caughtBy: LOOPS,
  },
  {
    breaks: 'C8: where the value of a key was not sent, it concerns nobody',
    file: `${FLOW}/block-engine.ts`,
    find: 'if (input.demand.pairs.some(({ column }) => partial[column] === undefined)) return [null];',
    replace: 'if (input.demand.pairs.some(({ column }) => partial[column] === undefined)) return [];',
    caughtBy: [HOST, 'C8: a row comes of whose key a part was not sent'],
  },
  {
    breaks: 'C8: an unchanged value is not taken from the row that is held',
    file: `${FLOW}/flow-engine.ts`,
    find: 'row.values ?? row.before?.values ?? oldValues;',
    replace: 'row.values ?? oldValues;',
    caughtBy: [HOST, 'C8: a value that was not sent is read when a row comes into a join'],
  },
  {
    breaks: 'C10: a row that is written and then deleted is there',
    file: `${FLOW}/flow-engine.ts`,
    find: 'row.values = null;',
    replace: 'row.values ??= null;',
    caughtBy: LOOPS,
  },
  {
    breaks: 'C12: who looks for rows that are not known finds none',
    file: `${FLOW}/touched-tuples.ts`,
    find: 'attempt(() => joining.expand(member, anchor, into, onUnknown))',
    replace: 'attempt(() => void joining.expand(member, anchor, into, onUnknown))',
    caughtBy: LOOPS,
  },
  {
    breaks: 'C12: an answer within another that is lost is still looked at',
    file: `${FLOW}/block-engine.ts`,
    find: 'lost: Array.from(missed, ({ key }) => key)',
    replace: 'lost: []',
    caughtBy: LOOPS,
  },
  {
    breaks: 'C8: what was missing is not caught up with what its snapshot did not see',
    file: `${VIEWS}/block-gear.ts`,
    find: 'for (const own of events) missing.apply(own.rows, own.images);',
    replace: '',
    caughtBy: [`${VIEWS}/new-parents.pg.test.ts`, 'P1: every answer that is told is one of Postgres'],
  },
  {
    breaks: 'C8: what is known already is read once more beside what is missing',
    file: `${FLOW}/block-engine.ts`,
    find: 'known?.isCovered(key) !== true',
    replace: '!!key',
    caughtBy: [`${FLOW}/complement.test.ts`, 'what is not known is asked for'],
  },
  {
    breaks: 'C11: nobody follows what is held for those that wait',
    file: `${VIEWS}/incremental-template.ts`,
    find: 'if (count > 0) this.#applyToHeld(',
    replace: 'if (this.#heldCount > 0) this.#applyToHeld(',
    caughtBy: known('a left join'),
  },
  {
    breaks: 'C11: what was read of a table before it was emptied is learnt',
    file: `${FLOW}/flow-engine.ts`,
    find: 'this.isVoid = this.beside !== null;',
    replace: '',
    caughtBy: [`${FLOW}/complement.test.ts`, 'what was emptied is not learnt'],
  },
  {
    breaks: 'working set: what nobody demands is kept',
    file: `${FLOW}/input-store.ts`,
    find: 'if (--key.count === 0) this.#idle.push(key);',
    replace: 'key.count--;',
    caughtBy: [HOST, 'C12: a row that asks for rows that are not known is a miss'],
  },
  {
    breaks: 'joins: a row that comes under another key changes where it is held',
    file: `${FLOW}/block-engine.ts`,
    find: 'next?.own === old.own && next.key === old.key',
    replace: 'next?.key === old.key',
    caughtBy: LOOPS,
  },
  {
    breaks: 'working set: what the first statement may not ask for is not asked for',
    file: `${VIEWS}/block-fetch.ts`,
    find: 'from += keysPerStatementMax',
    replace: 'from += wanted.length',
    caughtBy: [
      HOST,
      'what one statement may not ask for at once is asked for by several, and counts together',
    ],
  },
  {
    breaks: 'working set: answers within others are kept when nobody demands them',
    file: `${FLOW}/block-engine.ts`,
    find: 'child?.forget(key);',
    replace: '',
    caughtBy: LOOPS,
  },
  {
    breaks: 'a table that is emptied has its rows',
    file: `${FLOW}/flow-engine.ts`,
    find: "if (ofTable.includes('truncate')) return this.#missAll();",
    replace: '',
    caughtBy: [HOST, 'a table that is emptied, and a transaction too large to be told'],
  },
];

const CATCHING_UP: readonly Mutant[] = [
  {
    breaks: 'C8: too much to be told is nothing',
    file: `${VIEWS}/block-gear.ts`,
    find: "(own.unknown ? null : reader.read(own.changes)) ?? ['truncate']",
    replace: "reader.read(own.changes) ?? ['truncate']",
    caughtBy: known('an inner join'),
  },
  {
    breaks: 'C8: what was read of several tables is caught up with one of them',
    file: `${VIEWS}/incremental-template.ts`,
    find: 'changesByTable(transaction, ancestors, (table) => gear.tables.has(table))',
    replace: 'changesByTable(transaction, ancestors, (table) => [...gear.tables][0] === table)',
    caughtBy: known('an inner join'),
  },
  {
    breaks: 'C8: the tables of subqueries are not followed',
    file: `${VIEWS}/block-gear.ts`,
    find: "of.kind === 'table' ? [of] : sourcesOf(of.block)",
    replace: "of.kind === 'table' ? [of] : []",
    caughtBy: known('a subquery of its own'),
  },
  {
    breaks: 'C6: who was overtaken is told for a transaction too long',
    file: `${VIEWS}/block-gear.ts`,
    find: 'overtaken.set(ask, { step, rows:',
    replace: 'overtaken.set(ask, { step: step + 1, rows:',
    caughtBy: known('an inner join'),
  },
  {
    breaks: 'C12: who was overtaken is told nothing as its answer',
    file: `${VIEWS}/block-gear.ts`,
    find: 'rows: new AnswerRows(member, telling).shown(), dry: false }',
    replace: 'rows: new AnswerRows(member, telling).shown().slice(0, 0), dry: false }',
    caughtBy: known('an inner join'),
  },
  {
    breaks: 'P6: texts that nobody needs any more are kept for ever',
    file: `${VIEWS}/incremental-template.ts`,
    find: 'this.#trim(false);',
    replace: '',
    caughtBy: [`${VIEWS}/text-orders.pg.test.ts`, 'P6: a view whose texts change 100,000 times'],
  },
  {
    breaks: 'C16: what is held goes on with tokens that the orders have forgotten',
    file: `${VIEWS}/block-gear.ts`,
    find: 'owner.move(copy, this.#engine);',
    replace: '',
    caughtBy: [`${VIEWS}/block-gear.test.ts`, 'what is being read when texts are let go'],
  },
  {
    breaks: 'C16: tokens of before texts were let go are compared with those of after it',
    file: `${VIEWS}/block-gear.ts`,
    find: 'if (orders !== this.#orders)',
    replace: 'if (orders === null)',
    caughtBy: [`${VIEWS}/block-gear.test.ts`, 'what is being read when texts are let go'],
  },
  {
    breaks: 'C16: an heir does not know of a text that it has told the token of',
    file: `${FLOW}/text-orders.ts`,
    find: 'if (token !== undefined) this.#keep(text, token);',
    replace: '',
    caughtBy: [`${VIEWS}/block-gear.test.ts`, 'C16: whatever is written, read and let go'],
  },
  {
    breaks: 'C16: a text that stays has another token than before',
    file: `${FLOW}/text-orders.ts`,
    find: 'if (token !== undefined) this.#keep(text, token);',
    replace: "if (token !== undefined) this.#keep(text, token + 'V');",
    caughtBy: [`${FLOW}/text-orders.test.ts`, 'an heir has what is looked up'],
  },
  {
    breaks: 'C22: two views of one binding are one in the engine',
    file: `${VIEWS}/block-gear.ts`,
    find: 'engine.add([...ask.binding, String(this.#members++)])',
    replace: 'engine.add([...ask.binding, String(this.#members++).slice(0, 0)])',
    caughtBy: [HOST, 'two principals with one binding are two views'],
  },
  {
    breaks: 'absorbing: what is within another is left behind',
    file: `${FLOW}/merging-engine.ts`,
    find: 'if (child !== null && others !== null && fillFrom(child, others, isRemade)) any = true;',
    replace: 'void [child, others];',
    caughtBy: known('a subquery of its own'),
  },
];

const HANDING_OVER: readonly Mutant[] = [
  {
    breaks: 'handing over: constants of another spelling are run',
    file: `${VIEWS}/view-host.ts`,
    find: 'template: `${template} ${JSON.stringify(gear.fallback)}`,',
    replace: 'template,',
    caughtBy: [HOST, 'two spellings of one template that are both handed over'],
  },
  {
    breaks: 'handing over: what clients hold is forgotten',
    file: `${VIEWS}/view-host.ts`,
    find: 'rehosted.template.keep(rehosted.one, shown);',
    replace: 'void shown;',
    caughtBy: [HOST, 'where Postgres raises an error its view alone is left to it'],
  },
  {
    breaks: 'handing over: a view that was released meanwhile is there again',
    file: `${VIEWS}/view-host.ts`,
    find: 'const binding = await this.#options.bind(planned, view.spec.params);\n      if (this.#views.get(view.id) !== hosted) return;',
    replace: 'const binding = await this.#options.bind(planned, view.spec.params);',
    caughtBy: [HOST, 'a view that is released, or opened again, while it is handed over'],
  },
  {
    breaks: 'handing over: a view of too many rows is read all the same',
    file: `${VIEWS}/block-fetch.ts`,
    find: 'if (left < 0) throw new TooMuch();',
    replace: 'void TooMuch;',
    caughtBy: [HOST, 'a view that would hold too much is run again'],
  },
  {
    breaks: 'handing over: all of a batch that is too much are handed over',
    file: `${VIEWS}/incremental-template.ts`,
    find: '} else if (batch.length > 1) {',
    replace: '} else if (batch.length > 1000) {',
    caughtBy: [HOST, 'a view that would hold too much is run again'],
  },
  {
    breaks: 'handing over: a constant that raises is nobody’s error',
    file: `${FLOW}/flow-engine.ts`,
    find: 'if (isForPostgres(error)) return true;',
    replace: 'if (isForPostgres(error)) return false;',
    caughtBy: [HOST, 'a limit that Postgres refuses, and a constant that raises'],
  },
];

const ANSWERING: readonly Mutant[] = [
  {
    breaks: 'C16: rows of joins are taken for told apart by the key of the first table',
    file: `${VIEWS}/sure-keys.ts`,
    find: 'block.inputs.every((input) => isKnownBy(input, shown))',
    replace: 'block.inputs.slice(0, 1).every((input) => isKnownBy(input, shown))',
    caughtBy: [`${VIEWS}/sure-keys.test.ts`, 'rows of joins are known by the keys of all tables'],
  },
  {
    breaks: 'C16: two rows that agree in the columns that name them have one name',
    file: `${VIEWS}/answer-rows.ts`,
    find: 'if (names.size === this.#member.size) return true;',
    replace: 'if (names.size <= this.#member.size) return true;',
    caughtBy: ANSWERS,
  },
  {
    breaks: 'answers: rows that go are not told',
    file: `${VIEWS}/answer-rows.ts`,
    find: 'return gone === null ? puts : [...Array.from(gone.keys(), (keyJson) => delOp({ keyJson })), ...puts];',
    replace: 'return puts;',
    caughtBy: ANSWERS,
  },
  {
    breaks: 'answers: all rows stand first',
    file: `${VIEWS}/answer-rows.ts`,
    find: 'after = previous === null ? null :',
    replace: 'after = previous !== undefined ? null :',
    caughtBy: ANSWERS,
  },
  {
    breaks: 'answers: a row that stays is told as gone before it is changed',
    file: `${VIEWS}/answer-rows.ts`,
    find: 'gone?.delete(keyed.keyJson);',
    replace: '',
    caughtBy: ANSWERS,
  },
  {
    breaks: 'answers: columns that rows are ordered by are shown',
    file: `${VIEWS}/answer-rows.ts`,
    find: 'values.length === visible ? values : values.slice(0, visible)',
    replace: 'values',
    caughtBy: [HOST, 'windows of ordered joins'],
  },
];

const READING: readonly Mutant[] = [
  {
    breaks: 'demand: rows are asked for by the first column alone',
    file: `${BLOCKS}/demand-sql.ts`,
    find: "on.join(' AND ')",
    replace: "on.slice(0, 1).join(' AND ')",
    caughtBy: [HOST, 'rows are asked for by all columns of a join'],
  },
  {
    breaks: 'demand: integers are asked for in four bytes',
    file: `${BLOCKS}/demand-sql.ts`,
    find: "int: 'int8',",
    replace: "int: 'int4',",
    caughtBy: [HOST, 'rows are asked for by all columns of a join'],
  },
  {
    breaks: 'demand: leaves of a partitioned table are not read',
    file: `${BLOCKS}/demand-sql.ts`,
    find: "const only = table.kind === 'partitioned' ? '' : 'ONLY ';",
    replace: "const only = 'ONLY ';",
    caughtBy: [HOST, 'C20: leaves of a partitioned table are read and followed in a join'],
  },
  {
    breaks: 'plans: other columns than a moment ago are taken',
    file: `${BLOCKS}/plan-blocks.ts`,
    find: 'if (JSON.stringify(types.map((oid) => baseTypeOf(registry, oid))) !== JSON.stringify(described))',
    replace: 'if (described.length < 0)',
    caughtBy: [PLANNED, 'other columns, or other tables, than a moment ago are no plan'],
  },
  {
    breaks: 'plans: other tables than a moment ago are taken',
    file: `${BLOCKS}/plan-blocks.ts`,
    find: 'if (!dependencies.reads.has(oid))',
    replace: 'if (dependencies.reads.size < 0)',
    caughtBy: [PLANNED, 'other columns, or other tables, than a moment ago are no plan'],
  },
  {
    breaks: 'plans: tables that inherit are left out',
    file: `${BLOCKS}/plan-blocks.ts`,
    find: "if (table.inheritedBy.length > 0) throw new NotIncremental('inheritance');",
    replace: '',
    caughtBy: [PLANNED, 'a table of which only a part is read'],
  },
  {
    breaks: 'plans: ONLY of a partitioned table reads its leaves',
    file: `${BLOCKS}/plan-blocks.ts`,
    find: "if (table.kind === 'partitioned' && !inherit) throw new NotIncremental('only');",
    replace: '',
    caughtBy: [PLANNED, 'a table of which only a part is read'],
  },
];

const BUDGET: readonly Mutant[] = [
  {
    breaks: 'P6: answers that are kept stay, and views are given up for them',
    file: `${VIEWS}/held-budget.ts`,
    find: 'if (this.#total > this.#bytesMax) this.#letGo();',
    replace: '',
    caughtBy: [`${VIEWS}/held-budget.test.ts`, 'P6: the largest answers that are kept go before any view'],
  },
  {
    breaks: 'P6: an answer that was let go is kept again where there is no room',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'one.answer.rows === null && !this.#options.hasRoom(bytesOfAnswer(rows))',
    replace: 'one.answer.rows === null && rows.length < 0',
    caughtBy: [`${VIEWS}/working-set.pg.test.ts`, 'P6: the largest answer of a re-run view is let go'],
  },
  {
    breaks: 'P6: any answer is taken for the one that was let go',
    file: `${VIEWS}/kept-answer.ts`,
    find: 'this.#digest === this.#digestOf(next) ? [] : null',
    replace: 'this.#digest.length > 0 ? [] : null',
    caughtBy: [`${VIEWS}/rerun-template.test.ts`, 'P6: where what clients hold was let go'],
  },
  {
    breaks: 'P6: nobody runs a view again whose rows were let go and are asked for',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'if (one.view.isFailed || !this.#valid.delete(one)) return false;',
    replace: 'if (one.view.isFailed || !this.#valid.has(one) || one.asked.length > 0) return false;',
    caughtBy: ['test/src/kept-answers.pg.test.ts', 'P6: who comes when an answer was let go'],
  },
  {
    breaks: 'P6: what a view kept counts when it is gone',
    file: `${VIEWS}/rerun-template.ts`,
    find: 'if (this.#views.delete(one)) this.#heldBytes -= one.answer.bytes;',
    replace: 'this.#views.delete(one);',
    caughtBy: [`${VIEWS}/rerun-template.test.ts`, 'P6: where what clients hold was let go'],
  },
  {
    breaks: 'P6: rows that were read for views that are gone count for ever',
    file: `${VIEWS}/held-budget.ts`,
    find: 'if (template.viewCount === 0) return this.forget(template);',
    replace: '',
    caughtBy: [`${VIEWS}/held-budget.test.ts`, 'P6: rows that were read for views that are gone meanwhile'],
  },
  {
    breaks: 'P6: who holds least is given up',
    file: `${VIEWS}/held-budget.ts`,
    find: 'if (share <= most) continue;',
    replace: 'if (most > 0 && share >= most) continue;',
    caughtBy: [`${VIEWS}/held-budget.test.ts`, 'P6: what holds most for each view gives views up'],
  },
  {
    breaks: 'P6: a result is read whole before it is refused, alone',
    file: 'packages/server/src/planner/rerun-sql.ts',
    find: '\\n) AS "sluice query" LIMIT ${rowsMax}`;',
    replace: '\\n) AS "sluice query" LIMIT ${rowsMax * 1000}`;',
    caughtBy: [BOUNDS, 'no more rows cross than show that there are too many'],
  },
  {
    breaks: 'P6: a result is read whole before it is refused, in a batch',
    file: 'packages/server/src/planner/rerun-sql.ts',
    find: ') AS "sluice query" LIMIT ${rowsMax}) AS "sluice rows" ORDER BY',
    replace: ') AS "sluice query" LIMIT ${rowsMax * 1000}) AS "sluice rows" ORDER BY',
    caughtBy: [BOUNDS, 'in a batch each stops at its own bound'],
  },
  {
    breaks: 'P6: bytes that are read have no bound',
    file: 'packages/server/src/source/byte-count.ts',
    find: 'if (this.#left < 0) throw',
    replace: 'if (this.#left < -Infinity) throw',
    caughtBy: [BOUNDS, 'bytes have a bound as rows have'],
  },
  {
    breaks: 'P6: a view that was given up is read again as soon as somebody asks',
    file: `${VIEWS}/view-host.ts`,
    find: 'if (restMs > 0) throw',
    replace: 'if (restMs < 0) throw',
    caughtBy: ['test/src/hand-over.pg.test.ts', 'P6: what cannot be run again is refused'],
  },
  {
    breaks: 'P6: a view that is given up again and again always rests as long',
    file: `${VIEWS}/resting-views.ts`,
    find: 'isAgain ? Math.min(2 * last.ms, REST_MS_MAX) : REST_MS',
    replace: 'isAgain ? REST_MS : REST_MS',
    caughtBy: [`${VIEWS}/resting-views.test.ts`, 'P6: a view that was given up rests'],
  },
  {
    breaks: 'P6: views are given up for what none of them needs',
    file: `${VIEWS}/held-budget.ts`,
    find: 'template.trim();',
    replace: '',
    caughtBy: [`${VIEWS}/held-budget.test.ts`, 'P6: what no view needs goes before any view does'],
  },
];

/** Any SELECT: one for each way in which what is held may not be enough. */
export const WORKING_SET: readonly Mutant[] = [
  ...MISSES,
  ...CATCHING_UP,
  ...HANDING_OVER,
  ...ANSWERING,
  ...READING,
  ...BUDGET,
];
