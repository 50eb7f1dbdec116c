import { compareBytes, trimBlanks } from '../engine/compare-text.js';
import { compareDate } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import { notReproduced } from './errors.js';
import { comparisons, tests, typedTests, type Family } from './registry.js';

/** Fifteen characters of an integer are safe as a number. */
const SAFE_LENGTH = 15;

function compare(left: string, right: string): number {
  if (left === right) return 0;
  if (left.length <= SAFE_LENGTH && right.length <= SAFE_LENGTH) return Number(left) - Number(right);
  return BigInt(left) < BigInt(right) ? -1 : 1;
}

const PAIRS = ['int2', 'int4', 'int8', 'int24', 'int42', 'int28', 'int82', 'int48', 'int84'];

/** Texts of one type and one length, of years with four digits, are in the order of their characters. */
function moments(a: string, b: string): number {
  return isPlain(a) && isPlain(b) && a.length === b.length ? order(a, b) : compareDate(a, b);
}

function isPlain(text: string): boolean {
  return text.charCodeAt(4) === 45 && !text.endsWith('C');
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Text is ordered here by bytes; under another collation Postgres orders it in its own way. */
function byBytes(decide: (order: number) => boolean, view: (text: string) => string = (text) => text) {
  return ([type]: readonly ValueType[]) => {
    if (type === undefined || !('ordered' in type) || !type.ordered)
      notReproduced('the order of a collation');
    return (a: string, b: string) => decide(compareBytes(view(a), view(b)));
  };
}

function ordered(prefix: string, suffixes: readonly string[], view?: (text: string) => string): Family {
  const [lt = '', le = '', gt = '', ge = ''] = suffixes;
  return typedTests({
    [prefix + lt]: byBytes((order) => order < 0, view),
    [prefix + le]: byBytes((order) => order <= 0, view),
    [prefix + gt]: byBytes((order) => order > 0, view),
    [prefix + ge]: byBytes((order) => order >= 0, view),
  });
}

/** What most conditions are: integers, texts, dates and timestamps of one type compared. */
export const COMPARISON: Family = {
  ...Object.assign({}, ...PAIRS.map((prefix) => comparisons(prefix, compare))),
  ...comparisons('date_', moments),
  ...comparisons('timestamp_', moments),
  ...tests({
    texteq: (a, b) => a === b,
    textne: (a, b) => a !== b,
    bpchareq: (a, b) => trimBlanks(a) === trimBlanks(b),
    bpcharne: (a, b) => trimBlanks(a) !== trimBlanks(b),
    text_pattern_lt: (a, b) => compareBytes(a, b) < 0,
    text_pattern_le: (a, b) => compareBytes(a, b) <= 0,
    text_pattern_gt: (a, b) => compareBytes(a, b) > 0,
    text_pattern_ge: (a, b) => compareBytes(a, b) >= 0,
  }),
  ...ordered('text_', ['lt', 'le', 'gt', 'ge']),
  ...ordered('bpchar', ['lt', 'le', 'gt', 'ge'], trimBlanks),
};
