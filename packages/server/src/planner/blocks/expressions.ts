import { assert } from '@sluice/core/assert';
import type { Expression } from '@sluice/core/expression';
import type { Query, Scalar, ScalarOf } from '../../analysis/query-tree.js';
import { toExpression } from '../../analysis/to-expression.js';
import type { Level } from './level.js';
import { answersOf, type Answers, type Tested } from './membership.js';
import { addSubquery, type Planning } from './planning.js';
import { exchange, isSubquery } from './scalars.js';

/** What stands at hand, if it does. */
export type AtHand = (scalar: Scalar) => Expression | undefined;

type Quantified = ScalarOf<'any of' | 'all of' | 'row of'>;

/** Makes expressions of one level of which parts are subqueries: each becomes an input of its own. */
export class Expressions {
  readonly #planning: Planning;

  constructor(planning: Planning) {
    this.#planning = planning;
  }

  /** @param also asked before anything else */
  of(scalar: Scalar, level: Level, also?: AtHand): Expression {
    return toExpression(scalar, {
      facts: this.#planning.facts,
      lifted: level.numbers,
      atHand: (part) => also?.(part) ?? this.#atHand(part, level),
    });
  }

  /** What only counts where it is true: false need not be told from unknown, which costs more to know. */
  condition(scalar: Scalar, level: Level): Expression {
    if (scalar.kind === 'and' || scalar.kind === 'or')
      return { op: scalar.kind, args: scalar.args.map((arg) => this.condition(arg, level)) };
    if (scalar.kind === 'any of') return this.#answers(scalar, level).found();
    if (scalar.kind === 'all of') return neither(this.#answers(scalar, level));
    if (scalar.kind !== 'not') return this.of(scalar, level);
    if (scalar.arg.kind === 'any of') return neither(this.#answers(scalar.arg, level));
    if (scalar.arg.kind === 'all of') return this.#answers(scalar.arg, level).found();
    return this.of(scalar, level);
  }

  #atHand(scalar: Scalar, level: Level): Expression | undefined {
    switch (scalar.kind) {
      case 'column':
        return scalar.column > 0 ? level.column(scalar.relation, scalar.column) : undefined;
      case 'exists':
        return this.#mark(scalar.query, level);
      case 'subquery':
        assert(scalar.query.columns.length === 1, 'a subquery that is one value has one column');
        return level.columnOfInput(this.#add(scalar.query, 'scalar', level), 0);
      case 'row of': {
        const tested = this.#tested(scalar, level);
        return tested(this.#add(scalar.query, 'scalar', level), 0);
      }
      case 'any of':
      case 'all of': {
        const value = valueOf(this.#answers(scalar, level), this.#unknown(level));
        return scalar.kind === 'any of' ? value : { op: 'not', arg: value };
      }
      default:
        return undefined;
    }
  }

  #answers(scalar: Quantified, level: Level): Answers {
    return answersOf(scalar, {
      level,
      planning: this.#planning,
      value: (part) => this.of(part, level),
      mark: (query) => this.#mark(query, level),
      tested: () => {
        const tested = this.#tested(scalar, level);
        return (meant) => {
          const at = this.#add(scalar.query, 'exists', level);
          level.drafts[at]?.on.push(meant(tested(at, 1)));
          return level.columnOfInput(at, 0);
        };
      },
    });
  }

  /** The comparison with a row of the subquery, once it is an input; what else it reads is in place before. */
  #tested({ test }: { readonly test: Scalar }, level: Level): Tested {
    const before = new Map<Scalar, Expression>();
    exchange(test, (part) => {
      if (!isSubquery(part)) return undefined;
      before.set(part, this.of(part, level));
      return part;
    });
    return (at, first) =>
      toExpression(test, {
        facts: this.#planning.facts,
        lifted: level.numbers,
        atHand: (part) =>
          part.kind === 'subquery column'
            ? level.columnOfInput(at, first + part.column - 1)
            : (before.get(part) ?? this.#atHand(part, level)),
      });
  }

  #mark(query: Query, level: Level): Expression {
    const { body } = query;
    // What EXISTS selects does not matter, unless it decides how many rows there are.
    const bare =
      body.kind === 'select' && body.grouping === null && (body.distinct === null || query.offset === null)
        ? { ...query, columns: [], order: [], body: { ...body, targets: [], distinct: null } }
        : query;
    return level.columnOfInput(this.#add(bare, 'exists', level), 0);
  }

  #add(query: Query, join: 'exists' | 'scalar', level: Level): number {
    return addSubquery(this.#planning, query, join, { level, relation: null });
  }

  #unknown(level: Level): Expression {
    return { op: 'param', param: level.numbers.constant(null, { oid: 16, modifier: -1, collation: 0 }) };
  }
}

function neither({ found, unknown }: Answers): Expression {
  return { op: 'not', arg: { op: 'or', args: [found(), unknown()] } };
}

function valueOf({ found, unknown }: Answers, nothing: Expression): Expression {
  return { op: 'or', args: [found(), { op: 'and', args: [unknown(), nothing] }] };
}
