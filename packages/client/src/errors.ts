import { SluiceError } from '@sluice/core/errors';
import type { WireError } from '@sluice/core/wire';

/** The errors that arise in the client; those of the server arrive with their own codes. */
export const CLIENT_ERRORS = {
  url_invalid: {
    message: 'The url of the client is not one that a WebSocket can be opened to.',
    hint: 'Give http(s):// or ws(s):// and a host; a path is optional. In a page it may be relative.',
    retry: false,
    stage: 'client',
  },
  url_relative: {
    message: 'The url of the client is relative, and there is no page that would complete it.',
    hint: 'On a server that renders pages all is well: the page connects. Elsewhere give http(s):// and a host.',
    retry: false,
    stage: 'client',
  },
  websocket_missing: {
    message: 'There is no WebSocket here.',
    hint: 'Install the package ws, or pass a WebSocket class to createClient.',
    retry: false,
    stage: 'client',
  },
  option_invalid: {
    message: 'An option of createClient has a value that it cannot have.',
    hint: 'See the options in docs/client.md.',
    retry: false,
    stage: 'client',
  },
  connect_failed: {
    message: 'No connection to the server could be made.',
    hint: "Is it running there, does what lies in between (a proxy, a development server) pass WebSockets on, and does it allow this page's origin (allowedOrigins)? Its log says more.",
    retry: true,
    stage: 'client',
  },
  connection_lost: {
    message: 'The connection to the server is lost.',
    hint: 'The client connects again by itself; what it shows meanwhile is marked stale.',
    retry: true,
    stage: 'client',
  },
  connection_refused: {
    message: 'The server refuses the connection, and would refuse it again.',
    hint: 'The detail has the close code: 4401 is a token it does not accept, 4406 a protocol version it does not speak.',
    retry: false,
    stage: 'client',
  },
  connection_silent: {
    message: 'The server has not been heard for two intervals.',
    hint: 'The client connects again by itself. If it recurs, look for a proxy that closes quiet connections.',
    retry: true,
    stage: 'client',
  },
  connect_timeout: {
    message: 'The server did not greet in time.',
    hint: 'Is the url that of a Sluice server? Does what lies in between pass WebSockets on? On slow networks raise connectTimeoutMs.',
    retry: true,
    stage: 'client',
  },
  token_failed: {
    message: 'The token function failed.',
    hint: 'It is called again at the next attempt; see the cause.',
    retry: true,
    stage: 'client',
  },
  protocol_violated: {
    message: 'The server sent a message that the protocol does not know.',
    hint: 'Check that client and server are of versions that go together, and that no proxy rewrites messages.',
    retry: true,
    stage: 'client',
  },
  position_older: {
    message: 'The server offered a position older than one that was already reached.',
    hint: 'The client waits for a server that has caught up. If it lasts, the database was restored from a backup.',
    retry: true,
    stage: 'client',
  },
  value_malformed: {
    message: 'A value is not of the type that the shape of the view says.',
    hint: 'Open the view again; if it recurs, use values: "text" and report it.',
    retry: false,
    stage: 'client',
  },
  staged_bytes_exceeded: {
    message: 'The changes of one view, waiting for the move that applies them, exceed stagedBytesMax.',
    hint: 'Narrow the query, or raise stagedBytesMax.',
    retry: false,
    stage: 'client',
  },
  send_bytes_exceeded: {
    message: 'More is waiting to be sent than sendBytesMax.',
    hint: 'The client connects again by itself. If it recurs, send less or raise sendBytesMax.',
    retry: true,
    stage: 'client',
  },
  too_many_subscriptions: {
    message: 'The client holds as many subscriptions as subscriptionsMax allows.',
    hint: 'Close live views that are no longer shown, or raise subscriptionsMax.',
    retry: false,
    stage: 'client',
  },
  too_many_listeners: {
    message: 'There are as many listeners as listenersMax allows.',
    hint: 'Call what subscribe returned when a listener is no longer needed; this is nearly always a leak.',
    retry: false,
    stage: 'client',
  },
  too_many_reaches: {
    message: 'As many calls of reached are waiting as reachesMax allows.',
    hint: 'Await fewer at a time, or raise reachesMax.',
    retry: false,
    stage: 'client',
  },
  param_invalid: {
    message: 'A parameter has no form in Postgres.',
    hint: 'See the table of values in docs/client.md; wrap JSON arrays in json().',
    retry: false,
    stage: 'client',
  },
  args_invalid: {
    message: 'The arguments of a query are not plain JSON.',
    hint: 'Pass objects, arrays, strings, finite numbers, booleans and null.',
    retry: false,
    stage: 'client',
  },
  request_too_large: {
    message: 'A query with its parameters, or a target of reached, is longer than requestBytesMax.',
    hint: 'Send less: a server ends the connection of a client whose messages are too large.',
    retry: false,
    stage: 'client',
  },
  reached_timeout: {
    message: 'The position was not reached in time.',
    hint: 'Raise timeoutMs; check that the client is online and that the server keeps up.',
    retry: true,
    stage: 'client',
  },
  reached_aborted: {
    message: 'Waiting for the position was given up.',
    hint: 'The signal that was passed to reached has fired.',
    retry: false,
    stage: 'client',
  },
  view_closed: {
    message: 'The live view was closed.',
    hint: 'Open it again with client.live().',
    retry: false,
    stage: 'client',
  },
  client_closed: {
    message: 'The client was closed.',
    hint: 'Make a new one with createClient().',
    retry: false,
    stage: 'client',
  },
  mutator_unknown: {
    message: 'The server has no mutator of that name.',
    hint: 'Define it on the server and start it again.',
    retry: false,
    stage: 'client',
  },
} as const;

/**
 * With these the client may not read what it holds, or is not known to: it drops the rows (docs/protocol.md, Errors).
 * An expired token is not among them: it says nothing about the right, and the next one is on its way.
 */
export const WITHDRAWING: ReadonlySet<string> = new Set([
  'unauthorized',
  'connection_refused',
  'read_not_permitted',
  'permission_denied',
  'row_security_refused',
]);

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;

export function clientError(code: ClientErrorCode, detail?: string, cause?: unknown): SluiceError {
  return new SluiceError(code, CLIENT_ERRORS[code], detail, cause === undefined ? undefined : { cause });
}

/** An error that the server sent, as the client throws and shows it. */
export function fromWire(error: WireError): SluiceError {
  return new SluiceError(
    error.code,
    { message: error.message, hint: error.hint ?? '', retry: error.retry, stage: 'client' },
    error.detail,
  );
}

/** Refusals of a query by the schema as it is: after an answer, somebody has changed the schema, and may change it back. */
export const OF_SCHEMA: RegExp = /^(column|table|relation|function)_unknown$|^type_mismatch$/;
