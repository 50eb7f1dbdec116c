import type { Position } from './position.js';
import type { Shape } from './shape.js';
import type { PgText, Row, RowKey } from './value.js';

/**
 * The wire protocol, version 1: docs/protocol.md is its specification. JSON text messages, each an object
 * with a `kind`. Optional kinds (`optional: true`) that a reader does not know are ignored.
 */
export const PROTOCOL_VERSION = 1;

/** Kinds kept for later: ephemeral channels (no position, droppable) and binary payloads. */
export const RESERVED_KINDS: readonly string[] = ['channel', 'binary', 'mutate', 'mutated'];

/** A view's identity on the wire: a hash of template, binding and registry, of characters that JSON has as they are. */
export type ViewId = string;

/** Codes with which the server closes a WebSocket; 1000–1015 as RFC 6455 defines them. */
export const CLOSE = {
  normal: 1000,
  /** The server goes; connect again. */
  goingAway: 1001,
  /** A binary message. */
  unsupported: 1003,
  /** Not JSON, or not UTF-8. */
  invalid: 1007,
  /** JSON, but no message of this protocol; or a limit was passed. */
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  /** No token, a wrong one, or one that has expired. */
  unauthorized: 4401,
  /** No version in common. */
  version: 4406,
  /** `hello` did not come in time. */
  helloTimeout: 4408,
  /** The client reads too slowly; it may connect again and resume. */
  slow: 4409,
  /** Too many messages or connections; retry later. */
  tooMany: 4429,
} as const;

// ---------------------------------------------------------------- client -> server

export type ClientMessage =
  Hello | Authenticate | Subscribe | Unsubscribe | Reach | { readonly kind: 'ping'; readonly id?: number };

/** The first message of a connection. */
export interface Hello {
  readonly kind: 'hello';
  /** The versions that the client speaks, best first. */
  readonly versions: readonly number[];
  readonly token?: string;
  /** What the client has reached before: the server serves nothing older within the same epoch (P3). */
  readonly position?: Position;
  /** The client takes operations of the kind `edit`; without it, every row that changes comes whole. */
  readonly edits?: boolean;
}

/** Renews the token; the claims of open subscriptions are evaluated anew. */
export interface Authenticate {
  readonly kind: 'auth';
  readonly token: string;
}

export interface Subscribe {
  readonly kind: 'subscribe';
  /** Chosen by the client, unique on its connection. */
  readonly id: number;
  /** A named query with its arguments … */
  readonly query?: string;
  readonly args?: unknown;
  /** … or SQL with parameters in Postgres's text form, where the server allows it. */
  readonly sql?: string;
  readonly params?: readonly PgText[];
  /** For queries that read the clock: how often time moves, `10s`, `1m`, `1h`. */
  readonly tick?: string;
  /** A subscription that this one replaces: it stays until this one is current, then ends. */
  readonly replaces?: number;
  /** What the client still holds of this query (C15). */
  readonly resume?: Resume;
}

export interface Resume {
  readonly view: ViewId;
  /** The `chain` of the `subscribed` under which `at` was reached; without it, only the digest counts. */
  readonly chain?: string;
  /** The `to` of the last delta applied, or the `at` of the rows. */
  readonly at: Position;
  /**
   * Order-independent sums of row hashes, one per bucket, under the `seed` of the server's `hello`; see `digest.ts`.
   * Empty when the client cannot compute them: then only held deltas or whole rows can answer.
   */
  readonly buckets: readonly string[];
  /** Hash of the sequence of keys, for ordered views. */
  readonly order?: string;
  /** How many rows it holds: with it, a longer result is compared by as many of its first rows. */
  readonly count?: number;
}

export interface Unsubscribe {
  readonly kind: 'unsubscribe';
  readonly id: number;
}

/** Asks to be told when all current views are at or past a position, an LSN as Postgres prints it, or a commit token. */
export interface Reach {
  readonly kind: 'reach';
  readonly id: number;
  readonly target: string;
}

// ---------------------------------------------------------------- server -> client

export type ServerMessage =
  | Welcome
  | Subscribed
  | Rows
  | Delta
  | Difference
  | Move
  | Geared
  | Failure
  | Goaway
  | { readonly kind: 'pong'; readonly id?: number };

export interface Welcome {
  readonly kind: 'hello';
  readonly version: number;
  /** Seed of the row hashes on this server, hexadecimal. */
  readonly seed: string;
  /** How often the client may expect to hear something, ms: an unasked `pong` when there is nothing else. */
  readonly pingMs: number;
}

/** Answers `subscribe`. Several subscriptions may share a view; its rows then travel once. */
export interface Subscribed {
  readonly kind: 'subscribed';
  readonly id: number;
  readonly view: ViewId;
  /** Names the chain of versions that the view's positions belong to, for `Resume`: one server's memory of one view. */
  readonly chain: string;
  /**
   * Another subscription of this connection holds the view: its rows are not sent again. A client that has dropped
   * them in the meantime (the other ended while this one was on its way) subscribes anew.
   */
  readonly shared?: true;
  readonly shape: Shape;
  readonly gear: 'incremental' | 'rerun';
  /** Why the view is not incremental, in words. */
  readonly reason?: string;
}

/** From now on the server maintains the view otherwise. Not staged: no row is another. */
export interface Geared {
  readonly kind: 'gear';
  readonly optional: true;
  readonly view: ViewId;
  readonly gear: Subscribed['gear'];
  readonly reason?: string;
}

/** A view's whole contents, in order, staged until the next move. */
export interface Rows {
  readonly kind: 'rows';
  readonly view: ViewId;
  readonly at: Position;
  readonly rows: readonly (readonly [RowKey, Row])[];
}

/** What changes in a view (C13), staged until the next move. `from` is the `to` or `at` of what came before. */
export interface Delta {
  readonly kind: 'delta';
  readonly view: ViewId;
  readonly from: Position;
  readonly to: Position;
  readonly ops: readonly Op[];
}

/**
 * `put`: the row under that key is now this one. `edit`: of the row under that key, which is there, these columns
 * change. In an ordered view the fourth member is the key it stands after, null for the first place; without it the row
 * stays where it is. Operations apply in sequence. `del`: the row is gone.
 */
export type Op =
  | readonly ['put', RowKey, Row]
  | readonly ['put', RowKey, Row, RowKey | null]
  | readonly ['edit', RowKey, readonly ColumnEdit[]]
  | readonly ['edit', RowKey, readonly ColumnEdit[], RowKey | null]
  | readonly ['del', RowKey];

/** A column, by its number from 0, and its new text, or the splices that make it from the old one. */
export type ColumnEdit = readonly [column: number, to: PgText | readonly Splice[]];

/**
 * From `start` of the old text on, `removed` UTF-16 code units give way to `inserted`. In order, none reaching into the
 * next, never between the two units of one character.
 */
export type Splice = readonly [start: number, removed: number, inserted: string];

/** Answers a resume whose deltas are no longer held: replaces the named buckets, then orders by `order` if given. */
export interface Difference {
  readonly kind: 'difference';
  readonly view: ViewId;
  readonly at: Position;
  /** Number of buckets that the client sent. */
  readonly of: number;
  /** The buckets that differ: drop their rows, then put `rows`. */
  readonly buckets: readonly number[];
  readonly rows: readonly (readonly [RowKey, Row])[];
  /** All keys in order, when the sequence differs. */
  readonly order?: readonly RowKey[];
}

/** Applies everything staged, at once (P2). */
export interface Move {
  readonly kind: 'move';
  readonly position: Position;
  /** Views that become current with this move: hydrated, or back from `behind` or `error`. */
  readonly current?: readonly ViewId[];
  /** Views that no longer hold the others (C14), each at a position of its own. Staged changes of theirs are applied. */
  readonly behind?: readonly (readonly [ViewId, Position])[];
  /** Views that are an error at this position (C17). */
  readonly errors?: readonly (readonly [ViewId, WireError])[];
  /** `reach` requests that this move fulfils. */
  readonly reached?: readonly number[];
  /** Subscriptions that end with this move because another has replaced them. */
  readonly replaced?: readonly number[];
}

/** An error of one subscription (`id`), one request (`reach`), or, without either, of the connection. */
export interface Failure {
  readonly kind: 'error';
  readonly id?: number;
  readonly reach?: number;
  readonly error: WireError;
}

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly retry: boolean;
}

/** The server is going: connect again after that time, elsewhere if there is an elsewhere. */
export interface Goaway {
  readonly kind: 'goaway';
  readonly afterMs: number;
}
