import type { Expression } from '@sluice/core/expression';
import type { Query, Scalar, ScalarOf, TypeUse } from '../../analysis/query-tree.js';
import { equalitiesOf } from './equalities.js';
import type { Level } from './level.js';
import { narrowed } from './narrowed.js';
import type { Planning } from './planning.js';
import { columnOf, relationsIn } from './scalars.js';

/** `row of` is not asked about here. */
type Quantified = ScalarOf<'any of' | 'all of' | 'row of'>;

/** A comparison with a row of an input, of which the columns begin at `first`. */
export type Tested = (input: number, first: number) => Expression;

/**
 * `x = ANY (subquery)` and its kind in two answers, each true or false: whether a row decides it (for ANY one of which
 * the comparison is true, for ALL one of which it is false), and whether it is unknown of some row. Only the answers
 * that are asked for are inputs.
 */
export interface Answers {
  found(): Expression;
  unknown(): Expression;
}

export interface Membership {
  readonly level: Level;
  readonly planning: Planning;
  value(scalar: Scalar): Expression;
  /** Whether the query has rows. */
  mark(query: Query): Expression;
  /** Puts in place what the comparison reads. @returns what asks whether it holds, in the sense given, for a row */
  tested(): (meant: (compared: Expression) => Expression) => Expression;
}

export function answersOf(scalar: Quantified, place: Membership): Answers {
  const { query, test, kind } = scalar;
  const decides: Scalar = kind === 'any of' ? test : { kind: 'not', arg: test, type: test.type };
  return {
    found: () => {
      const inside = isLookedUp(decides, query, place) ? narrowed(query, decides, testedColumn) : null;
      if (inside !== null) return place.mark(inside);
      return place.tested()((compared) => (kind === 'any of' ? compared : { op: 'not', arg: compared }));
    },
    unknown: () =>
      unknownOf(scalar, place) ??
      place.tested()((compared) => ({ op: 'is', arg: compared, value: null, negated: false })),
  };
}

/** Whether the subquery is to be asked for the rows that are equal: else all of its rows are looked at. */
function isLookedUp(test: Scalar, query: Query, { level, planning }: Membership): boolean {
  const tests = test.kind === 'and' ? test.args : [test];
  // Within a subquery of its own, a column may be that one's.
  if (/"query":/.test(JSON.stringify(test)) || !tests.some((one) => isEquality(one, planning))) return false;
  const inputs = [...relationsIn({ test, query })].map((relation) => level.inputOf(relation));
  const own = new Set(inputs.filter((input) => input !== undefined));
  return own.size < 2 && [...own].every((input) => level.drafts[input]?.join !== 'left');
}

/** An equality of a column of the subquery with something else. */
function isEquality(test: Scalar, planning: Planning): boolean {
  const asColumn = (scalar: Scalar): Scalar => {
    if (scalar.kind === 'relabel' || scalar.kind === 'collate')
      return { ...scalar, arg: asColumn(scalar.arg) };
    if (scalar.kind !== 'subquery column') return scalar;
    return { kind: 'column', relation: -1, column: scalar.column, up: 0, type: scalar.type };
  };
  if (test.kind !== 'call') return false;
  const seen = { ...test, args: test.args.map(asColumn) };
  return equalitiesOf(seen, planning.facts).some(({ relation }) => relation === -1);
}

/**
 * Whether the comparison is unknown of some row, where it is so for NULLs alone: the value is NULL and there is a row,
 * or a row has NULL. Neither looks at all rows for each value. null: it is another comparison.
 */
function unknownOf({ query, test }: Quantified, place: Membership): Expression | null {
  const { planning } = place;
  if (test.kind !== 'call' || test.args.length !== 2) return null;
  if (!COMPARISONS.test(planning.facts.functions.get(test.fn)?.source ?? '')) return null;
  const [left, right] = test.args;
  if (left === undefined || right === undefined || hasColumn(left) || right.kind !== 'subquery column')
    return null;
  const isNull: Scalar = { kind: 'is null', arg: right, ofRow: false, type: BOOL };
  const absent = isNeverNull(query, right.column, planning) ? null : narrowed(query, isNull, testedColumn);
  if (absent === null && !isNeverNull(query, right.column, planning)) return null;
  const args: Expression[] = [
    { op: 'and', args: [{ op: 'is_null', arg: place.value(left) }, place.mark(query)] },
  ];
  if (absent !== null) args.push(place.mark(absent));
  return { op: 'or', args };
}

/** Comparisons of Postgres that are NULL only where an argument is. */
const COMPARISONS =
  /^(int[248]|int(24|28|42|48|82|84)|float[48]|float(48|84)|numeric_|text|text_|bpchar|uuid_|bool|date_|timestamp_|timestamptz_|time_|interval_|enum_|bytea|oid)(eq|ne|lt|le|gt|ge)$/;

const BOOL: TypeUse = { oid: 16, modifier: -1, collation: 0 };

function hasColumn(scalar: Scalar): boolean {
  return JSON.stringify(scalar).includes('"subquery column"');
}

/** A column of a table's key, which no outer join fills up. */
function isNeverNull(query: Query, column: number, planning: Planning): boolean {
  const { body } = query;
  if (body.kind !== 'select') return false;
  const target = body.targets.filter(({ junk }) => !junk)[column - 1];
  const plain = target === undefined ? null : columnOf(target.expression);
  return body.from.some(
    (source) =>
      source.kind === 'relation' &&
      source.relation.kind === 'table' &&
      source.relation.id === plain?.relation &&
      planning.keyOf(source.relation.oid).includes(plain.column),
  );
}

function testedColumn(part: Scalar): number | null {
  return part.kind === 'subquery column' ? part.column : null;
}
