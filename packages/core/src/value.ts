/**
 * A value as Postgres prints it under our pinned output settings (ISO dates, UTC, hex bytea,
 * shortest-exact floats), or null. The stream and every snapshot print under the same settings, so two
 * values of one type that are bitwise the same row value are the same string.
 */
export type PgText = string | null;

/** One result row: a value for each column of the shape, in its order. */
export type Row = readonly PgText[];

/** Identifies a row within its view; stable while the row exists (C16). */
export type RowKey = string;
