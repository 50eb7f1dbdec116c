import { SluiceError, type Client, type QueryRef, type SqlRef } from '@sluice/client';

export type AnyRef = QueryRef<unknown> | SqlRef;

/** A query that a component wants to show. */
export interface Wish {
  /** Of `client.keyOf`. */
  readonly key: string;
  readonly ref: AnyRef;
  /** Rows beyond are only asked for to know whether there are more. */
  readonly limit: number | undefined;
  /** Why it cannot be asked. */
  readonly error: SluiceError | null;
}

/** @param limit rows beyond are not shown. */
export function wishOf(client: Client, ref: AnyRef, limit?: number): Wish {
  try {
    return { key: client.keyOf(ref), ref, limit, error: null };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { key: `${error.code} ${error.detail ?? ''}`, ref, limit, error };
  }
}
