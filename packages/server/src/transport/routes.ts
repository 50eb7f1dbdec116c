import { SluiceError } from '@sluice/core/errors';
import type { Explanation } from '@sluice/core/explanation';
import { explanationText } from '../explain/explanation-text.js';
import type { Principal } from '../views/port.js';
import { authRequestIn, type TransportContext } from './context.js';
import { transportError } from './errors.js';
import { failure, json, type Answer, type Exchange } from './exchange.js';
import { parseObject, readLooseParams, readQuery, type QueryMembers } from './read-message.js';
import type { Streams } from './streams.js';

/** Whether all is well, and what there is to say about it. */
export interface Report {
  readonly ok: boolean;
  readonly [detail: string]: unknown;
}

/** What the other parts of the server answer. */
export interface Providers {
  /** What the principal may see of the registry. */
  readonly schema?: (principal: Principal) => Promise<unknown>;
  /** How a query is kept live; absent where clients are not told. */
  readonly explain?: (query: QueryMembers, principal: Principal) => Promise<Explanation>;
  readonly healthy?: () => Promise<Report>;
  readonly ready?: () => Promise<Report>;
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

type Route = (exchange: Exchange, id: string) => Promise<Answer> | Answer;

/** The HTTP paths below the base, each with the methods that it takes. */
export class Routes {
  readonly #routes: ReadonlyMap<string, Readonly<Record<string, Route>>>;

  constructor(context: TransportContext, streams: Streams, providers: Providers) {
    const report = (check: Providers['healthy']): Route => {
      return async () => {
        const found = (await check?.()) ?? { ok: true };
        return json(found.ok ? 200 : 503, found);
      };
    };
    this.#routes = new Map<string, Readonly<Record<string, Route>>>([
      ['/subscribe', { POST: (exchange) => streams.create(exchange) }],
      ['/subscriptions/:id/events', { GET: (exchange, id) => streams.listen(id, exchange) }],
      ['/subscriptions/:id', { DELETE: (_, id) => streams.end(id) }],
      ['/explain', { POST: (exchange) => explain(context, exchange, providers) }],
      ['/mutate', { POST: () => failure(transportError('mutators_none')) }],
      ['/schema', { GET: (exchange) => schema(context, exchange, providers) }],
      ['/healthz', { GET: report(providers.healthy) }],
      ['/readyz', { GET: report(providers.ready) }],
      ['/metrics', { GET: () => metrics(providers) }],
    ]);
  }

  /** Never rejects for what the request is: that is an answer. */
  async answer(exchange: Exchange): Promise<Answer> {
    try {
      const match = /^\/subscriptions\/([^/]+)(\/events)?$/.exec(exchange.path);
      const pattern = match ? `/subscriptions/:id${match[2] ?? ''}` : exchange.path;
      const methods = this.#routes.get(pattern);
      if (methods === undefined) throw transportError('path_unknown');
      const route = Object.hasOwn(methods, exchange.method) ? methods[exchange.method] : undefined;
      if (route === undefined) {
        const refusal = failure(transportError('method_not_allowed'));
        return { ...refusal, headers: { ...refusal.headers, allow: Object.keys(methods).join(', ') } };
      }
      return await route(exchange, match?.[1] ?? '');
    } catch (error) {
      if (error instanceof SluiceError) return failure(error);
      throw error;
    }
  }
}

/** For whom a subscription would be made, too. */
async function schema({ auth }: TransportContext, exchange: Exchange, providers: Providers): Promise<Answer> {
  const { principal } = await auth.check(authRequestIn(exchange));
  return json(200, (await providers.schema?.(principal)) ?? {});
}

/** The query of a subscription, for whom it would be made. */
async function explain(context: TransportContext, exchange: Exchange, providers: Providers): Promise<Answer> {
  if (providers.explain === undefined) throw transportError('explain_off');
  const { principal } = await context.auth.check(authRequestIn(exchange));
  const object = parseObject(await exchange.text(context.limits.messageBytesMax));
  const explanation = await providers.explain(readQuery(object, readLooseParams), principal);
  if (exchange.header('accept')?.startsWith('text/plain') !== true) return json(200, explanation);
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  return { status: 200, headers, body: explanationText(explanation) };
}

async function metrics(providers: Providers): Promise<Answer> {
  const { contentType, text } = (await providers.metrics?.()) ?? { contentType: 'text/plain', text: '' };
  return { status: 200, headers: { 'content-type': contentType }, body: text };
}
