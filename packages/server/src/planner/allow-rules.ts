/**
 * Which of Postgres's own functions a live query may call, as rules; `builtin-functions.ts` holds what they select,
 * by identity, and a test compares the two. Default closed: a function is on the list because a rule names it.
 *
 * - IMMUTABLE ones depend on their arguments alone; the rules exclude what is not meant for queries.
 * - STABLE ones are allowed by name: those that depend on their arguments and on settings that we pin (time zone,
 *   text search configuration, formats), never on the catalog, the session or the server.
 * - VOLATILE ones never.
 */
export interface BuiltinRow {
  readonly oid: number;
  readonly name: string;
  readonly volatility: string;
  readonly kind: string;
  readonly language: string;
  /** Names of the argument types and of the result. */
  readonly args: readonly string[];
  readonly result: string;
}

export function isAllowedBuiltin(row: BuiltinRow): boolean {
  if ([...row.args, row.result].some((type) => INTERNAL_TYPES.has(type))) return false;
  // The offset of a zone named for a time of day is the one of today.
  if (row.name === 'timezone' && row.args.includes('timetz')) return false;
  if (row.volatility === 'i')
    return !/^(pg_|binary_upgrade|lo_|txid_|be_lo)/.test(row.name) || KEPT.has(row.name);
  return row.volatility === 's' && !row.args.some((type) => CATALOG_TYPES.test(type)) && STABLE.has(row.name);
}

/** Those that read the clock: live only with a tick. */
export function readsClock(name: string, args: number): boolean {
  return CLOCK.has(name) || (name === 'age' && args === 1);
}

/** Allowed in named queries only: it shows settings and names, of which the claims are part of the binding. */
export const NAMED_ONLY: ReadonlySet<string> = new Set([
  'current_database',
  'current_setting',
  'current_schema',
  'current_schemas',
]);

const CLOCK = new Set(['now', 'transaction_timestamp', 'statement_timestamp']);

const INTERNAL_TYPES = new Set(
  `internal cstring trigger event_trigger language_handler fdw_handler index_am_handler table_am_handler tsm_handler
   pg_node_tree pg_ddl_command pg_dependencies pg_mcv_list pg_ndistinct pg_brin_bloom_summary
   pg_brin_minmax_multi_summary void refcursor`.split(/\s+/),
);

const CATALOG_TYPES = /^(reg[a-z]+|_reg[a-z]+|xid8?|cid|tid|aclitem|_aclitem)$/;

const KEPT = new Set(['pg_size_pretty', 'pg_size_bytes']);

const STABLE = new Set(
  `now transaction_timestamp statement_timestamp age pg_typeof
   current_database current_setting current_schema current_schemas
   concat concat_ws format quote_literal quote_nullable array_to_string string_to_array textanycat anytextcat
   to_char to_number to_date to_timestamp date_trunc date_part extract timezone make_timestamptz generate_series
   date time timetz timestamp timestamptz overlaps date_add date_subtract
   date_eq_timestamptz date_ge_timestamptz date_gt_timestamptz date_le_timestamptz date_lt_timestamptz
   date_ne_timestamptz date_cmp_timestamptz timestamptz_eq_date timestamptz_ge_date timestamptz_gt_date
   timestamptz_le_date timestamptz_lt_date timestamptz_ne_date timestamptz_cmp_date
   timestamp_eq_timestamptz timestamp_ge_timestamptz timestamp_gt_timestamptz timestamp_le_timestamptz
   timestamp_lt_timestamptz timestamp_ne_timestamptz timestamp_cmp_timestamptz
   timestamptz_eq_timestamp timestamptz_ge_timestamp timestamptz_gt_timestamp timestamptz_le_timestamp
   timestamptz_lt_timestamp timestamptz_ne_timestamp timestamptz_cmp_timestamp
   timestamptz_pl_interval timestamptz_mi_interval interval_pl_timestamptz
   json_agg jsonb_agg json_object_agg jsonb_object_agg json_agg_strict jsonb_agg_strict json_object_agg_strict
   jsonb_object_agg_strict json_object_agg_unique jsonb_object_agg_unique json_object_agg_unique_strict
   jsonb_object_agg_unique_strict json_build_array json_build_object jsonb_build_array jsonb_build_object
   row_to_json array_to_json to_json to_jsonb json_populate_record json_populate_recordset jsonb_populate_record
   jsonb_populate_recordset json_to_record json_to_recordset jsonb_to_record jsonb_to_recordset
   jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_tz jsonb_path_query_array_tz jsonb_path_query_first_tz
   to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_headline json_to_tsvector
   jsonb_to_tsvector get_current_ts_config ts_match_tt ts_match_tq
   enum_first enum_last enum_range money numeric xml xml_is_well_formed array_in array_out
   interval_to_char convert_from convert_to convert`.split(/\s+/),
);
