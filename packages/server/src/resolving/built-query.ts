import type { FieldsOf } from './field-plan.js';

/** What a builder says that it would send, and how it would read the answer. */
export interface BuiltQuery {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly fields: FieldsOf;
}

/** Throws `query_answer_invalid`. */
export type Fail = (detail: string) => never;
