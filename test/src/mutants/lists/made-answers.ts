import type { Mutant } from '../mutant.js';

const FLOW = 'packages/core/src/flow';

/** Answers that are made of the rows when somebody asks for them. */
export const MADE_ANSWERS: readonly Mutant[] = [
  {
    breaks: 'C6: who is found to miss after the rows were exchanged has no answer of before',
    file: `${FLOW}/made-answers.ts`,
    find: 'if (late.length === 0) return;',
    replace: 'if (late.length >= 0) return;',
    caughtBy: [`${FLOW}/complement.test.ts`, 'C6: who misses has the answer of before'],
  },
  {
    breaks: 'C6: who misses while a table is emptied has no answer of before',
    file: `${FLOW}/flow-engine.ts`,
    find: 'for (const member of missed) member.keep();',
    replace: '',
    caughtBy: [`${FLOW}/complement.test.ts`, 'C6: who misses has the answer of before'],
  },
  {
    breaks: 'C6: rows that were exchanged are not exchanged back',
    file: `${FLOW}/block-engine.ts`,
    find: 'const isBack = store.find(old.key) !== old;',
    replace: 'const isBack = false;',
    caughtBy: [`${FLOW}/complement.test.ts`, 'C6: who misses has the answer of before'],
  },
  {
    breaks: 'C6: a row that raises an error is come to in an answer in which it was not',
    file: `${FLOW}/made-answers.ts`,
    find: '{ left: Infinity }, true)',
    replace: '{ left: Infinity }, false)',
    caughtBy: [`${FLOW}/made-answers.test.ts`, 'C6: who misses by a row that EXISTS had not come to'],
  },
  {
    breaks: 'C6: who misses by one of its groups has an answer in which others have changed',
    file: `${FLOW}/groups.ts`,
    find: 'const told = [...touched].map((group) => ({ group, next: this.rowOf(group) }));',
    replace:
      'const told = [...touched].map((group) => ({ group, next: (group.shown = this.rowOf(group)) }));',
    caughtBy: [`${FLOW}/grouped-answers.test.ts`, 'C6: who misses by one of its groups'],
  },
  {
    breaks: 'a group that is used again has the aggregates of another plan',
    file: `${FLOW}/held-groups.ts`,
    find: 'group.set !== set || group.states.length === 0',
    replace: 'group.states.length === 0',
    caughtBy: [`${FLOW}/held-groups.test.ts`, 'a group of another plan has the aggregates of its own'],
  },
  {
    breaks: 'what was told of a group changes with it',
    file: `${FLOW}/held-groups.ts`,
    find: 'return this.#isShown ? [...this.#shown] : null;',
    replace: 'return this.#isShown ? this.#shown : null;',
    caughtBy: [`${FLOW}/held-groups.test.ts`, 'what was told stays as it was told'],
  },
];
