import type { Expression } from '@sluice/core/expression';
import type { Query, Scalar, ScalarOf } from '../../analysis/query-tree.js';
import { toExpression } from '../../analysis/to-expression.js';
import type { Level } from './level.js';
import { addSubquery, type Planning } from './planning.js';
import { NotABlock } from './reasons.js';
import { narrowed } from './narrowed.js';

/** What stands at hand, if it does. */
export type AtHand = (scalar: Scalar) => Expression | undefined;

type In = ScalarOf<'any of' | 'all of' | 'row of'>;

/** Makes expressions of one level of which parts are subqueries: each becomes an input of its own. */
export class Expressions {
  readonly #planning: Planning;

  constructor(planning: Planning) {
    this.#planning = planning;
  }

  /** A conjunct of WHERE. Here IN and NOT IN need not tell false from unknown. */
  condition(condition: Scalar, level: Level): Expression {
    const negated = condition.kind === 'not' ? condition.arg : null;
    if (condition.kind === 'any of') return this.#isIn(condition, level);
    if (negated?.kind === 'any of') return { op: 'not', arg: this.#isIn(negated, level, true) };
    return this.of(condition, level);
  }

  /** @param orUnknown also when it is not known whether it is: NOT IN is true only where that is known of all */
  #isIn(scalar: In, level: Level, orUnknown = false): Expression {
    if (scalar.kind !== 'any of') throw new NotABlock('in_value');
    const query = orUnknown ? null : narrowed(scalar.query, scalar.test, testedColumn);
    if (query !== null) return this.#mark(query, level);
    const at = addSubquery(this.#planning, scalar.query, 'exists', { level, relation: null });
    const compared = toExpression(scalar.test, {
      facts: this.#planning.facts,
      lifted: level.numbers,
      atHand: (part) =>
        part.kind === 'subquery column' ? level.columnOfInput(at, part.column) : this.#atHand(part, level),
    });
    const on: Expression = orUnknown ? { op: 'is', arg: compared, value: false, negated: true } : compared;
    level.drafts[at]?.on.push(on);
    return level.columnOfInput(at, 0);
  }

  #mark(query: Query, level: Level): Expression {
    const { body } = query;
    // What EXISTS selects does not matter, unless it decides how many rows there are.
    const bare =
      body.kind === 'select' && body.grouping === null && (body.distinct === null || query.offset === null)
        ? { ...query, columns: [], order: [], body: { ...body, targets: [], distinct: null } }
        : query;
    return level.columnOfInput(addSubquery(this.#planning, bare, 'exists', { level, relation: null }), 0);
  }

  /** @param also asked before anything else */
  of(scalar: Scalar, level: Level, also?: AtHand): Expression {
    return toExpression(scalar, {
      facts: this.#planning.facts,
      lifted: level.numbers,
      atHand: (part) => also?.(part) ?? this.#atHand(part, level),
    });
  }

  #atHand(scalar: Scalar, level: Level): Expression | undefined {
    switch (scalar.kind) {
      case 'column':
        return scalar.column > 0 ? level.column(scalar.relation, scalar.column) : undefined;
      case 'exists':
        return this.#mark(scalar.query, level);
      case 'subquery':
        if (scalar.query.columns.length !== 1) throw new NotABlock('several_columns');
        return level.columnOfInput(
          addSubquery(this.#planning, scalar.query, 'scalar', { level, relation: null }),
          0,
        );
      case 'any of':
      case 'all of':
        throw new NotABlock('in_value');
      default:
        return undefined;
    }
  }
}

function testedColumn(part: Scalar): number | null {
  return part.kind === 'subquery column' ? part.column : null;
}
