import { MADE_ANSWERS } from './lists/made-answers.js';
import { OPERATORS } from './lists/operators.js';
import { POSITIONS } from './lists/positions.js';
import { SESSION_RULES } from './lists/sessions.js';
import { SNAPSHOT_RULES } from './lists/snapshots.js';
import { SCHEMA_CHANGES } from './lists/schema.js';
import { VIEW_RULES } from './lists/views.js';
import { TALLIES } from './lists/tallies.js';
import { WORKING_SET } from './lists/working-set.js';
import type { Mutant } from './mutant.js';

/** All of them, area by area: a list is one file. */
export const MUTANTS: readonly Mutant[] = [
  ...POSITIONS,
  ...SNAPSHOT_RULES,
  ...SCHEMA_CHANGES,
  ...VIEW_RULES,
  ...SESSION_RULES,
  ...OPERATORS,
  ...WORKING_SET,
  ...MADE_ANSWERS,
  ...TALLIES,
];
