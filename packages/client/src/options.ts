import type { SluiceError } from '@sluice/core/errors';
import type { ValueMode } from '@sluice/core/row-decoder';
import { DEFAULT_BACKOFF, type Backoff } from './backoff.js';
import { systemClock, type Clock } from './clock.js';
import type { Token } from './connection.js';
import { clientError } from './errors.js';
import { reportListenerError, type ListenerErrorHandler } from './listeners.js';
import type { SocketConstructor } from './socket.js';
import { warn } from './warn.js';
import { pageWakeups, type Wakeups } from './wakeups.js';

export interface ClientOptions {
  /** Where the server is: `https://live.example.org`; a path is optional, and in a page all but a path. */
  readonly url: string;
  /** What the server's `auth` reads; a function is asked anew at each attempt to connect. */
  readonly token?: Token;
  /** `decoded` (default): JavaScript values, see docs/client.md. `text`: every value as Postgres prints it. */
  readonly values?: ValueMode;
  /** A WebSocket class, where neither the platform's nor that of the package `ws` will do. */
  readonly WebSocket?: SocketConstructor;
  /** How long a subscription is kept after its last live view has closed. Default 10 s. */
  readonly keepMs?: number;
  /** How long views stay `current` while the server hands over to another connection. Default 5 s. */
  readonly graceMs?: number;
  /** How long the server has to greet. Default 15 s. */
  readonly connectTimeoutMs?: number;
  readonly backoff?: Partial<Backoff>;
  /** Most subscriptions at a time; those that are only kept make room. Default 500: a server takes 512 by default. */
  readonly subscriptionsMax?: number;
  /** Most calls of `reached` waiting at a time. Default 1,000: a server takes 1,024 by default. */
  readonly reachesMax?: number;
  /** Most listeners of one live view, and of the client. Default 1,000. */
  readonly listenersMax?: number;
  /** Longest request, as UTF-8. Default 900 kB, below what a server takes. */
  readonly requestBytesMax?: number;
  /** Most text that waits for its move; at the bound the view with most of it ends. Default 64 MiB. */
  readonly stagedBytesMax?: number;
  /** Most bytes that the socket holds unsent; at the bound the connection is made anew. Default 8 MiB. */
  readonly sendBytesMax?: number;
  /** Told what a listener throws. Default: the page's error event, in Node a warning. */
  readonly onListenerError?: ListenerErrorHandler;
  /**
   * Told why the client cannot connect, or may not: once for each reason, until it has been online for the first time,
   * and whenever it gives up. Default: a warning in the console.
   */
  readonly onConnectError?: (error: SluiceError) => void;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests: uniform in [0, 1). */
  readonly random?: () => number;
  /** What tells that the network or the screen is back; the page's events by default. */
  readonly wakeups?: Wakeups;
}

export type Options = Required<Omit<ClientOptions, 'token' | 'WebSocket' | 'backoff'>> & {
  readonly token: Token;
  readonly WebSocket: SocketConstructor | undefined;
  readonly backoff: Backoff;
};

const DEFAULTS = {
  values: 'decoded',
  keepMs: 10_000,
  graceMs: 5_000,
  connectTimeoutMs: 15_000,
  subscriptionsMax: 500,
  reachesMax: 1_000,
  listenersMax: 1_000,
  requestBytesMax: 900_000,
  stagedBytesMax: 64 * 1024 * 1024,
  sendBytesMax: 8 * 1024 * 1024,
  onListenerError: reportListenerError,
  onConnectError: warn,
  clock: systemClock,
  random: Math.random,
  wakeups: pageWakeups,
} as const;

/** @throws SluiceError `option_invalid`. */
export function withDefaults(given: ClientOptions): Options {
  const backoff = { ...DEFAULT_BACKOFF, ...given.backoff };
  const options: Options = {
    ...DEFAULTS,
    ...given,
    token: given.token,
    WebSocket: given.WebSocket,
    backoff,
  };
  for (const [name, value] of [...Object.entries(options), ...Object.entries(backoff)]) {
    const bound = name.endsWith('Ms') || name.endsWith('Max');
    if (bound && !(typeof value === 'number' && value >= 0)) throw clientError('option_invalid', name);
  }
  if (options.values !== 'decoded' && options.values !== 'text')
    throw clientError('option_invalid', 'values');
  return options;
}
