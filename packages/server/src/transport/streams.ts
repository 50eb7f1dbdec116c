import { randomBytes } from 'node:crypto';
import type { SluiceError } from '@sluice/core/errors';
import type { Subscribe, WireError } from '@sluice/core/wire';
import { CLOSE, PROTOCOL_VERSION } from '@sluice/core/wire';
import type { Grant } from '../auth/auth.js';
import { authError } from '../auth/errors.js';
import type { Feed } from '../sessions/feed.js';
import type { Geared } from '../views/port.js';
import type { Session } from '../sessions/session.js';
import { authRequestIn, type TransportContext } from './context.js';
import { transportError } from './errors.js';
import { DeltaEvents, RowEvents } from './event-stream.js';
import { json, statusOf, type Answer, type EventIn, type EventOut, type Exchange } from './exchange.js';
import { Expiry } from './expiry.js';
import { parseObject, readLooseParams, readQuery, type JsonObject } from './read-message.js';

/** Moves whose contents a stream remembers, so that a client may go on from any of them. */
const TOLD_MAX = 64;

/** How long an `EventSource` waits before it connects again. */
const RETRY_MS = 1_000;

const EVENT_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

/** What a client holds after a move: the version of each chain. */
interface Told {
  readonly position: string;
  readonly held: Map<string, number>;
}

interface Listener {
  readonly deltas: boolean;
  /** Takes edits. */
  readonly edits: boolean;
  /** The position of the last move that it has heard of. */
  readonly last: string | null;
}

type Probed = { readonly id: number; readonly error?: WireError } & Partial<
  Pick<Feed, 'view' | 'shape'> & Geared
>;

interface Stream {
  readonly id: string;
  readonly grant: Grant;
  readonly subscriptions: readonly Subscribe[];
  readonly several: boolean;
  readonly told: Told[];
  readonly expiry: Expiry;
  session: Session | null;
  /** Writes the last event, while somebody listens. */
  farewell: (afterMs: number) => void;
  cancelDrop: () => void;
}

/**
 * Subscriptions made by POST and read as an event stream. The subscription outlives its connection for a while; what
 * was told is remembered per move, because an `EventSource` says only at which move it was (Last-Event-ID).
 */
export class Streams {
  readonly #context: TransportContext;
  readonly #streams = new Map<string, Stream>();

  constructor(context: TransportContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Those that somebody reads. */
  get listening(): number {
    return [...this.#streams.values()].filter((stream) => stream.session !== null).length;
  }

  /** `POST /subscribe` */
  async create(exchange: Exchange): Promise<Answer> {
    const { limits, auth } = this.#context;
    if (this.#streams.size >= limits.streamsMax) throw transportError('streams_too_many');
    const grant = await auth.check(authRequestIn(exchange));
    const object = parseObject(await exchange.text(limits.messageBytesMax));
    const { subscriptions, several } = readSubscriptions(object);
    if (subscriptions.length > this.#context.sessions.limits.subscriptionsMax) {
      throw transportError('message_malformed', 'subscriptions: too many');
    }
    const views = await Promise.all(subscriptions.map((subscription) => this.#probe(subscription, grant)));
    const errors = views.flatMap(({ error }) => (error === undefined ? [] : [error]));
    const [first] = errors;
    if (first !== undefined && errors.length === views.length)
      return json(statusOf(first.code), { error: first });
    const stream = this.#add(grant, subscriptions, several);
    return json(200, { subscription_id: stream.id, views });
  }

  /** `GET /subscriptions/:id/events` */
  listen(id: string, exchange: Exchange): Answer {
    const stream = this.#find(id);
    const mode = exchange.query.get('mode');
    if (mode !== null && mode !== 'deltas') throw transportError('message_malformed', 'mode');
    // An `EventSource` sends the header by itself when it reconnects, and cannot when it is new.
    const edits = mode === null || exchange.query.get('edits') === 'true';
    const last = exchange.header('last-event-id') ?? exchange.query.get('position');
    return {
      status: 200,
      headers: EVENT_HEADERS,
      body: (out) => this.#attach(stream, out, { deltas: mode === 'deltas', edits, last }),
    };
  }

  /** `DELETE /subscriptions/:id` */
  end(id: string): Answer {
    this.#drop(this.#find(id), CLOSE.normal, null);
    return { status: 204, headers: {}, body: '' };
  }

  /**
   * Ends the streams with a last event that says so. Those who listen come back spread over that time: they are
   * served until their turn as far as there is grace, and told to wait for the rest.
   */
  goaway(graceMs: number, spreadMs: number): void {
    const listening = [...this.#streams.values()].filter((stream) => stream.session !== null);
    listening.forEach((stream, index) => {
      const turnMs = Math.floor((spreadMs * index) / listening.length);
      const servedMs = Math.min(turnMs, graceMs);
      const end = (): void => this.#end(stream, turnMs - servedMs);
      if (servedMs === 0) end();
      else this.#context.clock.after(servedMs, end);
    });
  }

  close(): void {
    for (const stream of this.#streams.values()) this.#end(stream, 0);
  }

  // ------------------------------------------------------------ inside

  #end(stream: Stream, afterMs: number): void {
    if (!this.#streams.has(stream.id)) return;
    stream.farewell(afterMs);
    this.#drop(stream, CLOSE.goingAway, null);
  }

  async #probe(subscription: Subscribe, grant: Grant): Promise<Probed> {
    const { id } = subscription;
    const answer = await this.#context.sessions.probe(subscription, grant.principal);
    if ('error' in answer) return { id, error: answer.error };
    const { view, geared } = answer.feed;
    return { id, view, shape: answer.shape, ...geared };
  }

  #add(grant: Grant, subscriptions: readonly Subscribe[], several: boolean): Stream {
    const { clock, wallMs } = this.#context;
    const stream: Stream = {
      id: randomBytes(16).toString('hex'),
      grant,
      subscriptions,
      several,
      told: [],
      expiry: new Expiry(clock, wallMs, () =>
        this.#drop(stream, CLOSE.unauthorized, authError('token_expired')),
      ),
      session: null,
      farewell: () => undefined,
      cancelDrop: () => undefined,
    };
    this.#streams.set(stream.id, stream);
    stream.expiry.set(grant);
    this.#dropLater(stream);
    return stream;
  }

  #find(id: string): Stream {
    const stream = this.#streams.get(id);
    if (stream === undefined) throw transportError('stream_unknown');
    return stream;
  }

  #attach(stream: Stream, out: EventOut, { deltas, edits, last }: Listener): EventIn {
    const { sessions, limits } = this.#context;
    stream.cancelDrop();
    stream.session?.close(CLOSE.normal, transportError('stream_taken').toWire());
    const { principal } = stream.grant;
    out.write(`retry: ${RETRY_MS}\n\n`);
    const sink = deltas ? new DeltaEvents(out) : new RowEvents(out, stream.several);
    stream.farewell = (afterMs) => sink.goaway(afterMs, Math.max(afterMs, RETRY_MS));
    const session = sessions.connect(sink, principal, last, edits);
    stream.session = session;
    if (sink instanceof DeltaEvents) {
      const seed = sessions.seed(principal);
      sink.say({ kind: 'hello', version: PROTOCOL_VERSION, seed, pingMs: limits.pingMs });
      sink.onMove = (position) => remember(stream.told, position, session.holdings());
      session.restore(stream.told.find(({ position }) => position === last)?.held ?? new Map());
    }
    for (const subscription of stream.subscriptions) session.subscribe(subscription);
    const stopBeating = this.#beat(out);
    return {
      drained: () => session.drained(),
      closed: () => {
        stopBeating();
        session.closed();
        if (stream.session !== session) return;
        stream.session = null;
        stream.farewell = () => undefined;
        if (this.#streams.has(stream.id)) this.#dropLater(stream);
      },
    };
  }

  /** A comment now and then, so that nobody on the way takes the stream for dead. */
  #beat(out: EventOut): () => void {
    const { clock, limits } = this.#context;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = clock.after(limits.pingMs, () => {
        if (out.bufferedBytes === 0) out.write(':\n\n');
        next();
      });
    };
    next();
    return () => cancel();
  }

  #dropLater(stream: Stream): void {
    const { clock, limits } = this.#context;
    stream.cancelDrop = clock.after(limits.streamWaitMs, () => this.#drop(stream, CLOSE.normal, null));
  }

  #drop(stream: Stream, code: number, error: SluiceError | null): void {
    this.#streams.delete(stream.id);
    stream.cancelDrop();
    stream.expiry.stop();
    stream.session?.close(code, error?.toWire() ?? null);
  }
}

/** Of moves to the same position only what they agree in counts: the client may have seen the first or the last. */
function remember(told: Told[], position: string, held: Map<string, number>): void {
  const before = told.at(-1);
  if (before?.position === position) {
    for (const [chain, have] of before.held) if (held.get(chain) !== have) before.held.delete(chain);
    return;
  }
  told.push({ position, held });
  if (told.length > TOLD_MAX) told.shift();
}

function readSubscriptions(object: JsonObject): { subscriptions: readonly Subscribe[]; several: boolean } {
  const { subscriptions } = object;
  if (subscriptions === undefined) {
    return {
      several: false,
      subscriptions: [{ kind: 'subscribe', id: 0, ...readQuery(object, readLooseParams) }],
    };
  }
  if (!Array.isArray(subscriptions) || subscriptions.length === 0) {
    throw transportError('message_malformed', 'subscriptions');
  }
  const read = subscriptions.map((item: unknown, index): Subscribe => {
    if (typeof item !== 'object' || item === null) throw transportError('message_malformed', 'subscriptions');
    const one = item as JsonObject;
    const id = Object.hasOwn(one, 'id') ? one['id'] : index;
    if (!Number.isSafeInteger(id) || Number(id) < 0) throw transportError('message_malformed', 'id');
    return { kind: 'subscribe', id: Number(id), ...readQuery(one, readLooseParams) };
  });
  if (new Set(read.map(({ id }) => id)).size < read.length)
    throw transportError('message_malformed', 'id: twice');
  return { several: true, subscriptions: read };
}
