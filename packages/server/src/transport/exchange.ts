import type { SluiceError } from '@sluice/core/errors';

/** An HTTP request, whoever received it. */
export interface Exchange {
  readonly method: string;
  /** Below the base path: `/subscribe`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case name. */
  header(name: string): string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly url: string;
  /** @throws SluiceError `message_too_large` */
  text(bytesMax: number): Promise<string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream stays open: it is handed where to write. */
  readonly body: string | ((out: EventOut) => EventIn);
}

/** Where an event stream writes. */
export interface EventOut {
  write(text: string): void;
  readonly bufferedBytes: number;
  end(): void;
}

/** What an event stream is told by its connection. */
export interface EventIn {
  drained(): void;
  closed(): void;
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(value),
  };
}

const STATUS: Readonly<Record<string, number>> = {
  unauthorized: 401,
  token_expired: 401,
  auth_failed: 503,
  auth_answer_invalid: 500,
  origin_not_allowed: 403,
  role_not_usable: 403,
  path_unknown: 404,
  stream_unknown: 404,
  explain_off: 404,
  query_unknown: 404,
  method_not_allowed: 405,
  message_too_large: 413,
  message_invalid: 400,
  message_malformed: 400,
  streams_too_many: 429,
  explains_too_many: 429,
  connections_too_many: 429,
  subscriptions_too_many: 429,
  mutators_none: 501,
  server_starting: 503,
  server_stopping: 503,
  thread_ended: 503,
  server_fault: 500,
};

/** The status that an error has over HTTP; queries that are refused are 422. */
export function statusOf(code: string): number {
  return STATUS[code] ?? 422;
}

export function failure(error: SluiceError): Answer {
  const retry: Readonly<Record<string, string>> = statusOf(error.code) === 503 ? { 'retry-after': '1' } : {};
  return json(statusOf(error.code), { error: error.toWire() }, retry);
}
