import type { Mutant } from '../mutant.js';

const FLOW = 'packages/core/src/flow';
const VIEWS = 'packages/server/src/views';
const BLOCKS = 'packages/server/src/planner/blocks';
/** Random blocks against nested loops. */
const LOOPS = [
  `${FLOW}/flow-engine.test.ts`,
  'what is held is what nested loops make of the tables',
] as const;
const GROUPS = [`${FLOW}/groups.test.ts`, 'groups show what is made of their rows from nothing'] as const;
const WINDOWS = [`${FLOW}/windows.test.ts`, 'window functions are what their definitions say'] as const;
const DISTINCT_ON = [`${FLOW}/windows.test.ts`, 'DISTINCT ON leaves the first of equal rows'] as const;
/** Catching up of several tables. */
const STANDING = `${VIEWS}/block-standing.test.ts`;
/** From the text of a query on, against Postgres. */
const AGGREGATED = [`${BLOCKS}/aggregates.pg.test.ts`, 'aggregates stay equal to Postgres'] as const;
const known = (query: string): readonly [string, string] => [STANDING, query];

const JOINS: readonly Mutant[] = [
  {
    breaks: 'EXISTS: a subquery with conditions of its own is taken for one by equalities alone',
    file: `${BLOCKS}/flattened.ts`,
    find: 'where.length + input.on.length + project.length === 0',
    replace: 'input.on.length + project.length === 0',
    caughtBy: [`${BLOCKS}/flattened.test.ts`, 'a subquery that'],
  },
  {
    breaks: 'EXISTS: a row that comes or goes is looked at alone, as if it were joined',
    file: `${FLOW}/joining.ts`,
    find: "const isFollowed = join === 'inner' || join === 'left';",
    replace: "const isFollowed = join !== 'scalar';",
    caughtBy: LOOPS,
  },
  {
    breaks: 'joins: LEFT finds nothing where there is nothing',
    file: `${FLOW}/joining.ts`,
    find: "} else if (found === 0 && input.join !== 'inner' && !this.#hasOthers(run, at)) {",
    replace: "} else if (found === 0 && input.join === 'scalar' && !this.#hasOthers(run, at)) {",
    caughtBy: LOOPS,
  },
  {
    breaks: 'joins: a row that ON refuses counts as one that was found',
    file: `${FLOW}/joining.ts`,
    find: 'if (!this.#isOn(run, compiled)) continue;\n      found++;',
    replace: 'found++;\n      if (!this.#isOn(run, compiled)) continue;',
    caughtBy: LOOPS,
  },
  {
    breaks: 'joins: WHERE is not looked at',
    file: `${FLOW}/joining.ts`,
    find: 'if (all(where, run.flat, run.member.params)) this.#join(',
    replace: 'if (where.length >= 0) this.#join(',
    caughtBy: LOOPS,
  },
  {
    breaks: 'joins: a changed row is followed in the state alone that it is in',
    file: `${FLOW}/touched-tuples.ts`,
    find: "this.#underRow(at, pair[state === 'old' ? 'next' : 'old'], false);",
    replace: '',
    caughtBy: LOOPS,
  },
  {
    breaks: 'joins: NULL equals NULL',
    file: `${FLOW}/row.ts`,
    find: 'return (value) => (value === null ? null : key(value));',
    replace: "return (value) => (value === null ? '-' : key(value));",
    caughtBy: LOOPS,
  },
  {
    breaks: 'joins: what hangs on an absent row is not looked at, though it is a subquery',
    file: `${FLOW}/joining.ts`,
    find: "return input.of.kind === 'block' ? ABSENT : null;",
    replace: 'return input.width < 0 ? ABSENT : null;',
    caughtBy: LOOPS,
  },
  {
    breaks: 'EXISTS: is there whatever is there',
    file: `${FLOW}/joining.ts`,
    find: "flat[input.offset] = found > 0 ? 't' : 'f';",
    replace: "flat[input.offset] = 't';",
    caughtBy: known('NOT EXISTS'),
  },
  {
    breaks: 'scalar subqueries: of two rows the first is taken',
    file: `${FLOW}/joining.ts`,
    find: "if (input.join === 'scalar' && found > 1) throw new PgError('21000');",
    replace: "if (input.join === 'scalar' && found > 1) break;",
    caughtBy: known('a scalar subquery, an error where it has two rows'),
  },
  {
    breaks: 'scalar subqueries: without a row there is none around it',
    file: `${FLOW}/joining.ts`,
    find: "} else if (found === 0 && input.join !== 'inner' && !this.#hasOthers(run, at)) {",
    replace: "} else if (found === 0 && input.join === 'left' && !this.#hasOthers(run, at)) {",
    caughtBy: known('a scalar subquery, an error where it has two rows'),
  },
];

const AGGREGATES: readonly Mutant[] = [
  {
    breaks: 'GROUP BY: a group that nobody is in any more stays',
    file: `${FLOW}/groups.ts`,
    find: 'if (keys === null && !set.isWhole) return null;',
    replace: '',
    caughtBy: GROUPS,
  },
  {
    breaks: 'GROUP BY: without a key there is no group of nothing',
    file: `${FLOW}/groups.ts`,
    find: 'isWhole: set.length === 0,',
    replace: 'isWhole: false,',
    caughtBy: GROUPS,
  },
  {
    breaks: 'GROUP BY: HAVING is not looked at',
    file: `${FLOW}/groups.ts`,
    find: "return this.shared.having.every((condition) => condition(row, this.params) === 't') ? row : null;",
    replace: 'return row;',
    caughtBy: known('groups'),
  },
  {
    breaks: 'GROUPING SETS: keys that are not in a set are shown',
    file: `${FLOW}/groups.ts`,
    find: '(set.has[at] ? one(tuple, this.params) : null)',
    replace: 'one(tuple, this.params)',
    caughtBy: GROUPS,
  },
  {
    breaks: 'GROUPING: its bits are the other way round',
    file: `${FLOW}/groups.ts`,
    find: '(set.includes(key) ? 0 : 1)',
    replace: '(set.includes(key) ? 1 : 0)',
    caughtBy: GROUPS,
  },
  {
    breaks: 'count: counts what goes',
    file: `${FLOW}/accumulators.ts`,
    find: 'this.#count -= times;\n  }\n\n  result(): PgText {\n    return String(this.#count);',
    replace: '}\n\n  result(): PgText {\n    return String(this.#count);',
    caughtBy: GROUPS,
  },
  {
    breaks: 'count(x): counts NULLs',
    file: `${FLOW}/aggregates.ts`,
    find: 'if (value !== null) this.#inner.add(value, times);',
    replace: "this.#inner.add(value ?? '0', times);",
    caughtBy: GROUPS,
  },
  {
    breaks: 'sum: of nothing is zero',
    file: `${FLOW}/rarer-accumulators.ts`,
    find: 'return this.#count === 0 ? null : String(this.#sum);',
    replace: 'return String(this.#sum);',
    caughtBy: GROUPS,
  },
  {
    breaks: 'sum(numeric): zeros at its end are left out',
    file: `${FLOW}/rarer-accumulators.ts`,
    find: 'return printDecimal({ digits, scale });',
    replace: "return printDecimal({ digits, scale }).replace(/[.]?0+$/, '');",
    caughtBy: GROUPS,
  },
  {
    breaks: 'min, max: keep what went',
    file: `${FLOW}/rarer-accumulators.ts`,
    find: 'if (at >= 0) this.#best.splice(at, 1);',
    replace: 'void at;',
    caughtBy: GROUPS,
  },
  {
    breaks: 'bool_and, bool_or: forget what decides when another goes',
    file: `${FLOW}/rarer-accumulators.ts`,
    find: 'this.add(value, -times);',
    replace: 'if (value === this.#decisive) this.#decisives = 0;',
    caughtBy: AGGREGATED,
  },
  {
    breaks: 'bit_xor: is bit_or',
    file: `${FLOW}/rarer-accumulators.ts`,
    find: "if (this.#name === 'bit_xor') return ones % 2 === 1;",
    replace: "if (this.#name === 'bit_xor') return ones > 0;",
    caughtBy: GROUPS,
  },
  {
    breaks: 'count(DISTINCT): the first of equal values takes all with it',
    file: `${FLOW}/distinct-fold.ts`,
    find: 'if (equal.count > 0) return;',
    replace: 'if (equal.count < 0) return;',
    caughtBy: GROUPS,
  },
  {
    breaks: 'FILTER: lets all in',
    file: `${FLOW}/aggregates.ts`,
    find: "if (this.#filter(tuple) === 't') this.#inner.add(key, tuple, times);",
    replace: 'this.#inner.add(key, tuple, times);',
    caughtBy: GROUPS,
  },
  {
    breaks: 'lists: DESC within an aggregate is ASC',
    file: `${FLOW}/listed-aggregate.ts`,
    find: 'if (one !== 0) return descending ? -one : one;',
    replace: 'if (one !== 0) return one;',
    caughtBy: GROUPS,
  },
  {
    breaks: 'lists: DISTINCT shows all',
    file: `${FLOW}/listed-aggregate.ts`,
    find: 'const elements = same === null ? this.#elements : firstOfSame(this.#elements, same);',
    replace: 'const elements = this.#elements;',
    caughtBy: AGGREGATED,
  },
  {
    breaks: 'string_agg: the delimiter stands before the first as well',
    file: `${FLOW}/rarer-lists.ts`,
    find: "(at === 0 ? '' : (delimiter ?? '')) + (value ?? '')",
    replace: "(delimiter ?? '') + (value ?? '')",
    caughtBy: GROUPS,
  },
  {
    breaks: 'jsonb_object_agg: of members of one name the first stays',
    file: `${FLOW}/rarer-lists.ts`,
    find: "for (const [name, value] of elements) members.set(nameOf(name ?? null), value ?? 'null');",
    replace:
      "for (const [name, value] of elements.toReversed()) members.set(nameOf(name ?? null), value ?? 'null');",
    caughtBy: AGGREGATED,
  },
];

const ROWS: readonly Mutant[] = [
  {
    breaks: 'UNION: shows equal rows of two arms twice',
    file: `${FLOW}/set-counts.ts`,
    find: 'return all ? left + right : Math.min(left + right, 1);',
    replace: 'return left + right;',
    caughtBy: LOOPS,
  },
  {
    breaks: 'INTERSECT: shows what the left arm has',
    file: `${FLOW}/set-counts.ts`,
    find: 'return Math.min(left, right, all ? Infinity : 1);',
    replace: 'return Math.min(left, all ? Infinity : 1);',
    caughtBy: LOOPS,
  },
  {
    breaks: 'EXCEPT ALL: takes away all that are equal',
    file: `${FLOW}/set-counts.ts`,
    find: 'return all ? Math.max(left - right, 0) :',
    replace: 'return all ? (right > 0 ? 0 : left) :',
    caughtBy: LOOPS,
  },
  {
    breaks: 'EXCEPT: takes nothing away',
    file: `${FLOW}/set-counts.ts`,
    find: 'left > 0 && right === 0 ? 1 : 0;',
    replace: 'left > 0 ? 1 : 0;',
    caughtBy: LOOPS,
  },
  {
    breaks: 'DISTINCT: what goes stays',
    file: `${FLOW}/distinct.ts`,
    find: 'for (const { old } of changes) count(old, -1);',
    replace: '',
    caughtBy: LOOPS,
  },
  {
    breaks: 'DISTINCT ON: any of equal rows is the first',
    file: `${FLOW}/distinct-on.ts`,
    find: 'candidates.splice(this.#placeOf(candidates, candidate), 0, candidate);',
    replace: 'candidates.unshift(candidate);',
    caughtBy: DISTINCT_ON,
  },
  {
    breaks: 'DISTINCT ON: of several first rows one is told',
    file: `${FLOW}/distinct-on.ts`,
    find: 'if (this.#compare(first.values, other.values) !== 0) break;',
    replace: 'break;',
    caughtBy: DISTINCT_ON,
  },
  {
    breaks: 'ORDER BY: NULLs come last, whatever it says',
    file: `${FLOW}/stages.ts`,
    find: 'if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;',
    replace: 'if (a === null || b === null) return (a === null) === (nullsFirst && column < 0) ? -1 : 1;',
    caughtBy: LOOPS,
  },
  {
    breaks: 'ORDER BY: DESC is ASC',
    file: `${FLOW}/stages.ts`,
    find: 'if (order !== 0) return descending ? -order : order;',
    replace: 'if (order !== 0) return order;',
    caughtBy: LOOPS,
  },
  {
    breaks: 'OFFSET: is not skipped',
    file: `${FLOW}/stages.ts`,
    find: "return { offset, end: offset + number(plan.limit, Infinity, '2201W') };",
    replace: "return { offset: 0, end: offset + number(plan.limit, Infinity, '2201W') };",
    caughtBy: LOOPS,
  },
  {
    breaks: 'LIMIT: what moves out of a window is not told',
    file: `${FLOW}/stages.ts`,
    find: 'for (const [key, old] of left) changes.push({ key, old, next: null });',
    replace: 'left.clear();',
    caughtBy: LOOPS,
  },
  {
    breaks: 'LIMIT: what moves into a window is not told',
    file: `${FLOW}/stages.ts`,
    find: 'if (old === null || !same(old, values)) changes.push({ key, old, next: values });',
    replace: 'if (old !== null && !same(old, values)) changes.push({ key, old, next: values });',
    caughtBy: LOOPS,
  },
  {
    breaks: 'windows: a partition that a row has left is not looked at',
    file: `${FLOW}/window-partition.ts`,
    find: 'if (rows.length === 0) this.#partitions.delete(removed.partition);\n    this.#touched.add(removed.partition);',
    replace: 'if (rows.length === 0) this.#partitions.delete(removed.partition);',
    caughtBy: WINDOWS,
  },
  {
    breaks: 'windows: the order of peers is ours to say',
    file: `${FLOW}/window-partition.ts`,
    find: 'if (one.byPlace && partition.hasTies)',
    replace: 'if (one.byPlace && rows.length < 0)',
    caughtBy: WINDOWS,
  },
  {
    breaks: 'windows: rank counts peers',
    file: `${FLOW}/window-values.ts`,
    find: 'rank: ({ starts }, place) => String((starts[place] ?? 0) + 1),',
    replace: 'rank: (_, place) => String(place + 1),',
    caughtBy: WINDOWS,
  },
  {
    breaks: 'windows: lag and lead look the same way',
    file: `${FLOW}/window-values.ts`,
    find: 'lag: (partition, at) => beside(partition, at, -1),',
    replace: 'lag: (partition, at) => beside(partition, at, 1),',
    caughtBy: WINDOWS,
  },
  {
    breaks: 'windows: what is before a frame stays in its aggregate',
    file: `${FLOW}/window-values.ts`,
    find: 'for (; from < start; from++) if (from < to) remove(from);',
    replace: 'from = Math.max(from, start);',
    caughtBy: WINDOWS,
  },
  {
    breaks: 'windows: EXCLUDE TIES excludes the row as well',
    file: `${FLOW}/window-values.ts`,
    find: "return exclude === 'group' ? group : group.filter((one) => one !== place);",
    replace: 'return group;',
    caughtBy: WINDOWS,
  },
];

/** Any SELECT: one for each operator. */
export const OPERATORS: readonly Mutant[] = [...JOINS, ...AGGREGATES, ...ROWS];
