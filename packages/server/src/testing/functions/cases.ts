import type { ValueType } from '@sluice/core/plan';
import { array, CHAR, kinds, multirange, ORDERED_TEXT, range, TEXT, type Canonical } from './case-types.js';

/**
 * How a function is called in a test where its signature in pg_proc does not say it: what its arguments stand for,
 * the types that a polymorphic one is tried with, the SQL that reaches one which is no function to SQL.
 */
export interface CallCase {
  /** Keys of `VALUES`; a `type: key` gives the SQL type beside it, `type` alone is both. */
  readonly args: readonly string[];
  /** `$1` and so on are the arguments. Default: the function by its name. */
  readonly sql?: string;
  readonly types?: readonly ValueType[];
}

const ELEMENTS = [
  'integer',
  'numeric',
  'text',
  'timestamp with time zone',
  'double precision',
  'boolean',
] as const;

/** Both arguments arrays, of several element types. */
const arrays = (): CallCase[] =>
  ELEMENTS.map((element) => ({
    args: [`${element}[]`, `${element}[]`],
    types: [array(kinds[element]), array(kinds[element])],
  }));

const arrayAnd = (...rest: string[]): CallCase[] =>
  (['integer', 'text', 'numeric'] as const).map((element) => ({
    args: [`${element}[]`, ...rest.map((arg) => arg.replace('ELEMENT', element))],
    types: [array(kinds[element]), kinds[element]],
  }));

const RANGES: readonly (readonly [string, ValueType, string, Canonical?])[] = [
  ['int4range', kinds.integer, 'integer', 'int4'],
  ['int8range', kinds.bigint, 'bigint', 'int8'],
  ['numrange', kinds.numeric, 'numeric'],
  ['daterange', kinds.date, 'date', 'date'],
  ['tstzrange', kinds['timestamp with time zone'], 'timestamp with time zone'],
  ['tsrange', kinds['timestamp without time zone'], 'timestamp without time zone'],
];

const ranges = (): CallCase[] =>
  RANGES.map(([name, element, , canonical]) => ({
    args: [name, name],
    types: [range(element, canonical), range(element, canonical)],
  }));
/** Ranges and multiranges of one type, the names of both with `multi` where it is one. */
const rangePairs = (...which: readonly ('range' | 'multirange')[]): CallCase[] =>
  RANGES.map(([name, element, , canonical]) => ({
    args: which.map((one) => (one === 'range' ? name : name.replace('range', 'multirange'))),
    types: which.map((one) => (one === 'range' ? range(element, canonical) : multirange(element, canonical))),
  }));
const oneRange = (): CallCase[] =>
  RANGES.map(([name, element]) => ({ args: [name], types: [range(element)] }));

export const LABELS: readonly string[] = ['sad', 'ok', 'happy', 'é', 'Ünder "quoted"'];
const MOOD: ValueType = { kind: 'enum', labels: LABELS };
export const THING_FIELDS = 'id integer, "the ""name""" text, at timestamptz, j json, n numeric, list text[]';
const THING: ValueType = {
  kind: 'row',
  fields: [
    { name: 'id', type: { kind: 'int' } },
    { name: 'the "name"', type: TEXT },
    { name: 'at', type: { kind: 'timestamptz' } },
    { name: 'j', type: { kind: 'json' } },
    { name: 'n', type: { kind: 'numeric' } },
    { name: 'list', type: { kind: 'array', element: TEXT } },
  ],
};
const moods = (): CallCase[] => [{ args: ['mood', 'mood'], types: [MOOD, MOOD] }];

const BITS = 'bit varying: bits';
const twoBits = (): CallCase[] => [
  { args: [BITS, BITS] },
  { args: ['bit varying: eight bits', 'bit varying: eight bits'] },
];
const byBytes = (left: string, right: string): CallCase[] => [
  { args: [left, right], types: [ORDERED_TEXT, ORDERED_TEXT] },
];

const input = (type: string, values: string): CallCase[] => [
  { args: [`text: ${values}`], sql: `($1)::${type}` },
];
const output = (type: string): CallCase[] => [{ args: [type], sql: '($1)::text' }];
const like = (): CallCase[] => [
  { args: ['text: overlapping', 'text: overlapping pattern'], types: [TEXT, TEXT] },
  { args: ['text', 'text: pattern'], types: [TEXT, TEXT] },
  { args: ['text: long', 'text: pattern'], types: [TEXT, TEXT] },
];
/** Letters beyond ASCII have a case under a language, and none under "C". */
const cased = (fn: string, cases: readonly CallCase[]): CallCase[] =>
  cases.flatMap((one) => {
    const rest = one.args.length > 1 ? ', $2' : '';
    return [
      { ...one, sql: `${fn}($1 COLLATE "und-x-icu"${rest})` },
      { ...one, types: one.args.map(() => ORDERED_TEXT), sql: `${fn}($1 COLLATE "C"${rest})` },
    ];
  });
const collated = (): CallCase[] => [{ args: ['text', 'text'], types: [ORDERED_TEXT, ORDERED_TEXT] }];
const jsonPath = (type: string): CallCase[] => [{ args: [type, 'text[]: path'] }];
const jsonKey = (type: string): CallCase[] => [{ args: [type, 'text: key'] }];
const truncating = (type: string): CallCase[] => [{ args: ['text: unit', type] }];
const field = (type: string): CallCase[] => [{ args: ['text: field', type] }];

/** One argument of every type that has JSON. */
function anything(): CallCase[] {
  const others: readonly (readonly [string, ValueType])[] = [
    ['json', { kind: 'json' }],
    ['jsonb', { kind: 'jsonb' }],
    ['interval', { kind: 'interval' }],
    ['uuid', { kind: 'uuid' }],
    ['bytea', { kind: 'bytea' }],
    ['time without time zone', { kind: 'time' }],
    ['inet', { kind: 'inet' }],
    ['character', CHAR],
    ['mood', MOOD],
    ['thing', THING],
    ['real', { kind: 'float' }],
    ['jsonb[]', array({ kind: 'jsonb' })],
    ...ELEMENTS.map((name) => [`${name}[]`, array(kinds[name])] as const),
    ...Object.entries(kinds),
  ];
  return others.map(([name, type]) => ({ args: [name], types: [type] }));
}

export const CASES: Readonly<Record<string, readonly CallCase[]>> = {
  int2in: input('smallint', 'number text'),
  int4in: input('integer', 'number text'),
  int8in: input('bigint', 'number text'),
  numeric_in: input('numeric', 'number text'),
  float4in: input('real', 'number text'),
  float8in: input('double precision', 'number text'),
  boolin: input('boolean', 'boolean text'),
  uuid_in: input('uuid', 'uuid text'),
  jsonb_in: input('jsonb', 'json text'),
  date_in: input('date', 'date'),
  timestamp_in: input('timestamp', 'timestamp without time zone'),
  timestamptz_in: input('timestamptz', 'timestamp with time zone'),
  time_in: input('time', 'time without time zone'),
  interval_in: input('interval', 'interval'),
  enum_in: [{ args: ['text: label'], sql: '($1)::mood', types: [MOOD] }],
  int2out: output('smallint'),
  int4out: output('integer'),
  int8out: output('bigint'),
  numeric_out: output('numeric'),
  float4out: output('real'),
  float8out: output('double precision'),
  boolout: [{ args: ['boolean'], sql: 'textin(boolout($1))' }],
  uuid_out: output('uuid'),
  jsonb_out: output('jsonb'),
  json_out: output('json'),
  date_out: output('date'),
  timestamp_out: output('timestamp without time zone'),
  timestamptz_out: output('timestamp with time zone'),
  time_out: output('time without time zone'),
  interval_out: output('interval'),
  enum_out: output('mood'),
  inet_out: [{ args: ['inet'], sql: 'textin(inet_out($1))' }],
  textin: [{ args: ['text'], sql: 'textin(textout($1))' }],
  textout: [{ args: ['text'], sql: 'textin(textout($1))' }],
  varcharout: [{ args: ['character varying'], sql: 'textin(varcharout($1))' }],
  bpcharout: [{ args: ['character'], sql: 'textin(bpcharout($1))' }],
  numeric: [{ args: ['numeric', 'integer: numeric modifier'] }],
  numeric_round: [{ args: ['numeric', 'integer: digits'] }],
  numeric_trunc: [{ args: ['numeric', 'integer: digits'] }],
  textlike: like(),
  textnlike: like(),
  texticlike: cased('texticlike', like()),
  texticnlike: cased('texticnlike', like()),
  like_escape: [{ args: ['text: pattern', 'text: escape'] }],
  lower: cased('lower', [{ args: ['text'], types: [TEXT] }]),
  upper: cased('upper', [{ args: ['text'], types: [TEXT] }]),
  text_lt: collated(),
  text_le: collated(),
  text_gt: collated(),
  text_ge: collated(),
  ...Object.fromEntries(
    ['lt', 'le', 'gt', 'ge'].map((name) => [
      `bpchar${name}`,
      [{ args: ['character', 'character'], types: [CHAR, CHAR] }],
    ]),
  ),
  text_substr: [{ args: ['text', 'integer: count', 'integer: count'] }],
  text_substr_no_len: [{ args: ['text', 'integer: count'] }],
  text_left: [{ args: ['text', 'integer: count'] }],
  text_right: [{ args: ['text', 'integer: count'] }],
  textoverlay: [{ args: ['text', 'text: fill', 'integer: small', 'integer: small'] }],
  textoverlay_no_len: [{ args: ['text', 'text: fill', 'integer: small'] }],
  lpad: [{ args: ['text', 'integer: small', 'text: fill'] }],
  rpad: [{ args: ['text', 'integer: small', 'text: fill'] }],
  'lpad(text,integer)': [{ args: ['text', 'integer: small'] }],
  'rpad(text,integer)': [{ args: ['text', 'integer: small'] }],
  repeat: [{ args: ['text', 'integer: small'] }],
  replace_text: [
    { args: ['text', 'text: separator', 'text: fill'] },
    { args: ['text', 'text', 'text: fill'] },
  ],
  split_part: [{ args: ['text', 'text: separator', 'integer: small'] }],
  translate: [{ args: ['text', 'text', 'text: fill'] }],
  chr: [{ args: ['integer: code'] }],
  varchar: [{ args: ['character varying', 'integer: modifier', 'boolean'] }],
  bpchar: [{ args: ['character: text', 'integer: modifier', 'boolean'] }],
  text_concat: [
    { args: ['text', 'text'] },
    { args: ['text', 'boolean', 'timestamp with time zone'] },
    { args: ['double precision', 'text[]', 'jsonb'] },
  ],
  text_concat_ws: [{ args: ['text: separator', 'text', 'numeric'] }],
  'textanycat(text,anynonarray)': Object.entries(kinds).map(([name, kind]) => ({
    args: ['text: fill', name],
    types: [TEXT, kind],
  })),
  'anytextcat(anynonarray,text)': Object.entries(kinds).map(([name, kind]) => ({
    args: [name, 'text: fill'],
    types: [kind, TEXT],
  })),
  timestamp_trunc: truncating('timestamp without time zone'),
  timestamptz_trunc: truncating('timestamp with time zone'),
  interval_trunc: truncating('interval'),
  extract_timestamp: field('timestamp without time zone'),
  extract_timestamptz: field('timestamp with time zone'),
  extract_date: field('date'),
  extract_time: field('time without time zone'),
  extract_interval: field('interval'),
  timestamp_part: field('timestamp without time zone'),
  timestamptz_part: field('timestamp with time zone'),
  time_part: field('time without time zone'),
  interval_part: field('interval'),
  'date_part(text,date)': field('date'),
  timestamp_to_char: [{ args: ['timestamp without time zone', 'text: format'] }],
  timestamptz_to_char: [{ args: ['timestamp with time zone', 'text: format'] }],
  time_scale: [{ args: ['time without time zone', 'integer: precision'] }],
  timestamptz_trunc_zone: [{ args: ['text: unit', 'timestamp with time zone', 'text: zone'] }],
  pg_num_nulls: [{ args: ['text', 'integer', 'boolean'] }],
  pg_num_nonnulls: [{ args: ['text', 'integer', 'boolean'] }],
  text_format: [{ args: ['text: template', 'text', 'boolean'] }, { args: ['text: template', 'numeric'] }],
  timestamp_scale: [{ args: ['timestamp without time zone', 'integer: precision'] }],
  timestamptz_scale: [{ args: ['timestamp with time zone', 'integer: precision'] }],
  timestamp_zone: [{ args: ['text: zone', 'timestamp without time zone'] }],
  timestamptz_zone: [{ args: ['text: zone', 'timestamp with time zone'] }],
  interval_mul: [{ args: ['interval', 'double precision: factor'] }],
  mul_d_interval: [{ args: ['double precision: factor', 'interval'] }],
  make_interval: [
    {
      args: [
        'integer: small',
        'integer: small',
        'integer: small',
        'integer: small',
        'integer: small',
        'integer: small',
        'double precision: factor',
      ],
    },
  ],
  make_date: [{ args: ['integer: digits', 'integer: small', 'integer: digits'] }],
  jsonb_object_field: jsonKey('jsonb'),
  jsonb_object_field_text: jsonKey('jsonb'),
  json_object_field: jsonKey('json'),
  json_object_field_text: jsonKey('json'),
  jsonb_array_element: [{ args: ['jsonb', 'integer: small'] }],
  jsonb_array_element_text: [{ args: ['jsonb', 'integer: small'] }],
  json_array_element: [{ args: ['json', 'integer: small'] }],
  json_array_element_text: [{ args: ['json', 'integer: small'] }],
  jsonb_extract_path: [{ args: ['jsonb', 'text[]: path'], sql: '$1 #> $2' }],
  jsonb_extract_path_text: [{ args: ['jsonb', 'text[]: path'], sql: '$1 #>> $2' }],
  json_extract_path: [{ args: ['json', 'text[]: path'], sql: '$1 #> $2' }],
  json_extract_path_text: [{ args: ['json', 'text[]: path'], sql: '$1 #>> $2' }],
  jsonb_exists: jsonKey('jsonb'),
  jsonb_delete: jsonKey('jsonb'),
  jsonb_delete_idx: [{ args: ['jsonb', 'integer: small'] }],
  jsonb_delete_path: jsonPath('jsonb'),
  jsonb_delete_array: [{ args: ['jsonb', 'text[]'], sql: '$1 - $2' }],
  jsonb_set: [
    { args: ['jsonb: container', 'text[]: place', 'jsonb: new', 'boolean'] },
    { args: ['jsonb', 'text[]: path', 'jsonb', 'boolean'] },
  ],
  jsonb_strip_nulls: [{ args: ['jsonb'], sql: 'jsonb_strip_nulls($1)' }],
  to_json: anything(),
  to_jsonb: anything(),
  row_to_json: anything().filter(({ types }) => types?.[0]?.kind === 'row'),
  array_to_json: anything().filter(({ types }) => types?.[0]?.kind === 'array'),
  ...Object.fromEntries(
    ['json_build_object', 'jsonb_build_object', 'json_build_array', 'jsonb_build_array'].map((name) => [
      name,
      anything().flatMap(({ args, types }) => [
        { args: ['text', ...args], types: [TEXT, ...(types ?? [])] },
        { args: ['text', 'integer', ...args, 'text'], types: [TEXT, kinds.integer, ...(types ?? []), TEXT] },
      ]),
    ]),
  ),
  jsonb_subscript_handler: [
    { args: ['jsonb', 'text: key'], sql: '($1)[$2]' },
    { args: ['jsonb', 'text: key', 'text: key'], sql: '($1)[$2][$3]' },
  ],
  ...Object.fromEntries(
    [
      'array_eq',
      'array_ne',
      'array_lt',
      'array_le',
      'array_gt',
      'array_ge',
      'array_cat',
      'arraycontains',
      'arraycontained',
      'arrayoverlap',
    ].map((name) => [name, arrays()]),
  ),
  array_length: arrayAnd('integer: small'),
  array_lower: arrayAnd('integer: small'),
  array_upper: arrayAnd('integer: small'),
  array_ndims: arrayAnd(),
  array_dims: arrayAnd(),
  array_cardinality: arrayAnd(),
  trim_array: arrayAnd('integer: small'),
  array_append: arrayAnd('ELEMENT'),
  array_prepend: (['integer', 'text'] as const).map((element) => ({ args: [element, `${element}[]`] })),
  array_remove: arrayAnd('ELEMENT'),
  array_replace: arrayAnd('ELEMENT', 'ELEMENT'),
  array_position: arrayAnd('ELEMENT'),
  array_position_start: arrayAnd('ELEMENT', 'integer: small'),
  array_positions: arrayAnd('ELEMENT'),
  array_subscript_handler: [
    { args: ['integer[]', 'integer: small'], sql: '($1)[$2]' },
    { args: ['text[]', 'integer: small', 'integer: small'], sql: '($1)[$2][$3]' },
  ],
  array_to_text: arrayAnd('text: separator'),
  array_to_text_null: arrayAnd('text: separator', 'text: fill'),
  text_to_array: [{ args: ['text', 'text: separator'] }],
  text_to_array_null: [{ args: ['text', 'text: separator', 'text: fill'] }],
  ...Object.fromEntries(
    [
      'eq',
      'ne',
      'lt',
      'le',
      'gt',
      'ge',
      'contains',
      'contained_by',
      'overlaps',
      'before',
      'after',
      'overleft',
      'overright',
      'intersect',
      'adjacent',
      'union',
      'minus',
      'merge',
    ].map((name) => [`range_${name}`, ranges()]),
  ),
  ...Object.fromEntries(
    ['lower', 'upper', 'empty', 'lower_inc', 'upper_inc', 'lower_inf', 'upper_inf'].map((name) => [
      `range_${name}`,
      oneRange(),
    ]),
  ),
  range_constructor2: RANGES.map(([name, element, type, canonical]) => ({
    args: [type, type],
    sql: `${name}($1, $2)`,
    types: [range(element, canonical)],
  })),
  range_constructor3: RANGES.map(([name, element, type, canonical]) => ({
    args: [type, type, 'text: inclusive'],
    sql: `${name}($1, $2, $3)`,
    types: [range(element, canonical)],
  })),
  ...Object.fromEntries(
    ['contains', 'contained_by', 'overlaps', 'before', 'after', 'overleft', 'overright', 'adjacent'].flatMap(
      (name) => [
        [`multirange_${name}_range`, rangePairs('multirange', 'range')],
        [`range_${name}_multirange`, rangePairs('range', 'multirange')],
        [`multirange_${name}_multirange`, rangePairs('multirange', 'multirange')],
      ],
    ),
  ),
  ...Object.fromEntries(
    ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'union', 'minus', 'intersect'].map((name) => [
      `multirange_${name}`,
      rangePairs('multirange', 'multirange'),
    ]),
  ),
  ...Object.fromEntries(
    [
      'multirange_lower',
      'multirange_upper',
      'multirange_empty',
      'multirange_lower_inc',
      'multirange_upper_inc',
      'multirange_lower_inf',
      'multirange_upper_inf',
      'range_merge_from_multirange',
    ].map((name) => [name, rangePairs('multirange')]),
  ),
  multirange_constructor1: rangePairs('range').map((one) => ({
    ...one,
    sql: `${(one.args[0] ?? '').replace('range', 'multirange')}($1)`,
  })),
  multirange_constructor2: ['int4range', 'numrange'].map((name) => ({
    args: [`${name}[]`],
    sql: `${name.replace('range', 'multirange')}(VARIADIC $1)`,
    types: [array(name === 'numrange' ? range(kinds.numeric) : range(kinds.integer, 'int4'))],
  })),
  multirange_contains_elem: RANGES.map(([name, element, type, canonical]) => ({
    args: [name.replace('range', 'multirange'), type],
    types: [multirange(element, canonical), element],
  })),
  elem_contained_by_multirange: RANGES.map(([name, element, type, canonical]) => ({
    args: [type, name.replace('range', 'multirange')],
    types: [element, multirange(element, canonical)],
  })),
  range_contains_elem: RANGES.map(([name, element, type]) => ({
    args: [name, type],
    types: [range(element), element],
  })),
  elem_contained_by_range: RANGES.map(([name, element, type]) => ({
    args: [type, name],
    types: [element, range(element)],
  })),
  ...Object.fromEntries(
    ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'cat', 'position', '_and', '_or', 'xor'].map((name) => [
      `bit${name}`,
      twoBits(),
    ]),
  ),
  bitnot: [{ args: [BITS] }],
  bitshiftleft: [{ args: [BITS, 'integer: count'] }],
  bitshiftright: [{ args: [BITS, 'integer: count'] }],
  bitsubstr: [{ args: [BITS, 'integer: count', 'integer: count'] }],
  bitsubstr_no_len: [{ args: [BITS, 'integer: count'] }],
  bit: [{ args: [BITS, 'integer: length', 'boolean'] }],
  varbit: [{ args: [BITS, 'integer: length', 'boolean'] }],
  bitsetbit: [{ args: [BITS, 'integer: small', 'integer: small'] }],
  bitgetbit: [{ args: [BITS, 'integer: small'] }],
  bitfromint4: [{ args: ['integer', 'integer: length'] }],
  bitfromint8: [{ args: ['bigint', 'integer: length'] }],
  bittoint4: [{ args: [BITS] }],
  bittoint8: [{ args: [BITS] }],
  bitlength: [{ args: [BITS] }],
  bitoctetlength: [{ args: [BITS] }],
  bit_bit_count: [{ args: [BITS] }],
  bit_out: [{ args: [BITS], sql: 'textin(bit_out($1))' }],
  varbit_out: [{ args: [BITS], sql: 'textin(varbit_out($1))' }],
  macaddr_out: output('macaddr'),
  macaddr8_out: output('macaddr8'),
  name_text: output('name'),
  nameout: output('name'),
  ...Object.fromEntries(
    ['lt', 'le', 'gt', 'ge'].flatMap((name) => [
      [`name${name}`, byBytes('name', 'name')],
      [`name${name}text`, byBytes('name', 'text')],
      [`text${name}name`, byBytes('text', 'name')],
    ]),
  ),
  ...Object.fromEntries(
    ['like', 'nlike', 'iclike', 'icnlike'].map((name) => [
      `name${name}`,
      cased(`name${name}`, [{ args: ['name', 'text: pattern'], types: [TEXT, TEXT] }]),
    ]),
  ),
  enum_eq: moods(),
  enum_ne: moods(),
  enum_lt: moods(),
  enum_le: moods(),
  enum_gt: moods(),
  enum_ge: moods(),
};
