import type { Family } from './registry.js';
import type { Expression } from '../expression.js';
import { ALL_PIECES } from '../chunks/all.js';
import { withFunctions } from '../chunks/chunk.js';
import { compileExpression } from './compile.js';
import { NotReproduced } from './errors.js';
import { functionsOf } from './parts.js';

/** What is not reproduced, and why, in words: what `explain` says and what the list in the documentation is made of. */
export interface Missing {
  /** By the function's name in a plan (see `Call`). */
  readonly functions: RegExp;
  readonly what: string;
  readonly reason: string;
}

/** The first that fits is it; the last fits everything. */
export const MISSING: readonly Missing[] = [
  {
    functions: /regex|similar/,
    what: 'regular expressions: ~, ~*, SIMILAR TO, regexp_…',
    reason: "Postgres's regular expressions are a dialect of their own, with matching rules of their own.",
  },
  {
    functions: /^(initcap|casefold|unicode_|unistr|to_ascii|.*normalize)/,
    what: 'initcap, casefold, normalize and their kind',
    reason: 'The case and the forms of letters depend on the collation and on the version of its tables.',
  },
  {
    functions:
      /^(d(acos|asin|atan|cos|cot|sin|tan|pow|exp|log|cbrt|gamma|lgamma|erf|pi)|degrees|radians|derf)/,
    what: 'roots, powers, logarithms and angles in floating point',
    reason: 'Their last digits are those of the C library of the server.',
  },
  {
    functions: /^(numeric_(power|exp|ln|log|sqrt|fac)|log\(|log10\()/,
    what: 'roots, powers and logarithms of numeric',
    reason: 'Their digits follow from series that Postgres cuts off in its own way.',
  },
  {
    functions: /(izone|_zone|at_local|at_zone|at_timezone|timetz|datetimetz|timedate|make_timestamp)/,
    what: 'time zones other than UTC, and arithmetic of time with time zone',
    reason: 'The offsets are those of a database of time zones that changes.',
  },
  {
    functions: /(_to_char|to_number|to_date|to_timestamp)/,
    what: 'to_char of numbers and intervals, to_number, to_date, to_timestamp(text, text)',
    reason: 'Their patterns have many rules, of which some depend on the locale.',
  },
  {
    functions:
      /^(ts_|tsq|tsv|to_ts|.*_to_ts|gts|.*tsquery|array_to_tsvector|tt_|prsd_|d(ispell|simple|synonym)|thesaurus)/,
    what: 'text search',
    reason: 'What words become is decided by dictionaries on the server.',
  },
  {
    functions: /jsonpath|jsonb_path/,
    what: 'SQL/JSON paths: @?, @@, jsonb_path_…',
    reason: 'They are a language of their own.',
  },
  {
    functions: /record|row_to_json/,
    what: 'rows as values: comparisons of rows as one value, row_to_json with line feeds, json_populate_record',
    reason: 'They are rare; so far no query asked for them.',
  },
  {
    functions: /xml|xpath/,
    what: 'xml',
    reason: 'It is what the server’s XML library makes of it.',
  },
  {
    functions: /multirange|range_|_canonical|_subdiff/,
    what: 'aggregates of ranges, and what makes sets of rows of multiranges',
    reason: 'They are rare in queries of applications; so far no query asked for them.',
  },
  {
    functions: /^(md5|sha\d|crc|hash|jsonb_hash|.*hash)/,
    what: 'md5, sha256 and other digests',
    reason: 'A browser would have to load an implementation of each; so far no query asked for one.',
  },
  {
    functions:
      /^(current_|session_user|system_user|now|clock|statement_timestamp|transaction|timeofday|txid|pg_|_pg|PG_|inet_(client|server)|has_|show_config|row_security|age\(timestamp|getdatabase|version|format_type|.*description|pgsql_version|icu_|get_current|to_reg|acl|makeacl|mxid|satisfies_hash)/,
    what: 'the session, the clock and the catalog: current_user, now(), pg_…',
    reason: 'They depend on when and by whom they are called, or on the catalog, not on the row alone.',
  },
  {
    functions:
      /(point|box|circle|path|poly|line|lseg|construct|close_|dist_|on_|inter_|slope|diagonal|isvertical|isparallel|isperp|ishoriz)/,
    what: 'geometric types: distances and areas compared, lines, paths, polygons',
    reason: 'Some processors round once where others round twice: the last digit is that of the server.',
  },
  {
    functions: /(cash|macaddr|bit|varbit|oid|tid|xid|cid|lsn|name|char|reg|snapshot|enum_(range|first|last))/,
    what: 'money, system types, casts and rarer functions of bit strings, MAC addresses and names',
    reason: 'They are rare in queries of applications; so far no query asked for them.',
  },
  {
    functions: /./,
    what: 'any other function',
    reason: 'It has not been reproduced and judged against Postgres yet.',
  },
];

/** Why a function is not reproduced at all; null for one that is. */
export function missingReason(fn: string): Missing | null {
  if (Object.hasOwn(ALL_PIECES.functions, fn)) return null;
  return MISSING.find(({ functions }) => functions.test(fn)) ?? null;
}

/**
 * Why an expression cannot be evaluated here, in words; null when it can. Values for which a function that is
 * reproduced has to ask Postgres show only when it is evaluated.
 * @param also functions that whoever runs the plan brings along
 */
export function whyNotReproduced(expression: Expression, also: Family = {}): string | null {
  for (const fn of functionsOf(expression)) {
    const missing = Object.hasOwn(also, fn) ? null : missingReason(fn);
    if (missing) return `${fn} (${missing.what}): ${missing.reason}`;
  }
  try {
    compileExpression(
      expression,
      Object.keys(also).length === 0 ? ALL_PIECES : withFunctions(ALL_PIECES, also),
    );
    return null;
  } catch (error) {
    if (error instanceof NotReproduced) return error.message;
    throw error;
  }
}
