import { createHmac, randomUUID } from 'node:crypto';
import { canonicalJson, parseJson } from '@sluice/core/json';
import { SluiceError } from '@sluice/core/errors';
import type { RemoteResolver } from '../config/config.js';
import type { Ctx } from '../config/named-query.js';
import { Limiter } from '../limiter.js';
import { resolvingError, shortName } from './errors.js';

/*
 * Queries that another process resolves: `POST url` with `{ name, args, ctx }`, signed as Standard Webhooks has it, so
 * that it can be verified with a library or ten lines of any language.
 *
 *   webhook-id         names the request
 *   webhook-timestamp  seconds since 1970
 *   webhook-signature  v1,base64(hmac-sha256(secret, `${id}.${timestamp}.${body}`))
 */

/** An explanation of the other process's is cut here. */
const DETAIL_MAX = 300;
/** Statuses that pass: a timeout, too early, too many requests. */
const PASSING = [408, 425, 429];

export interface RemoteParts {
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export interface RemoteCall {
  readonly name: string;
  readonly args: unknown;
  readonly ctx: Ctx;
}

/**
 * Asks the other process, so many times at once: when a thousand clients come back together, the rest waits its turn.
 * Calls that are equal, who asks included, share the request that is under way.
 */
export class RemoteQueries {
  readonly #remote: RemoteResolver;
  readonly #parts: RemoteParts;
  readonly #limiter: Limiter;
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(remote: RemoteResolver, parts: RemoteParts) {
    this.#remote = remote;
    this.#parts = parts;
    this.#limiter = new Limiter(remote.concurrency, remote.queueMax, () =>
      resolvingError('resolver_busy', `${remote.queueMax} calls wait`),
    );
  }

  /**
   * @returns what it answered; null when it knows no such query
   * @throws SluiceError `resolver_unreachable`, `resolver_failed`, `resolver_refused`, `resolver_busy`,
   * `resolver_answer_invalid`, `query_args_invalid`
   */
  resolve(call: RemoteCall): Promise<unknown> {
    const key = canonicalJson(call);
    const shared = this.#underWay.get(key);
    if (shared !== undefined) return shared;
    const answer = this.#limiter
      .run(() => ask(this.#remote, this.#parts, call))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, answer);
    return answer;
  }
}

async function ask(remote: RemoteResolver, parts: RemoteParts, call: RemoteCall): Promise<unknown> {
  const body = JSON.stringify(call);
  const signal = AbortSignal.timeout(remote.timeoutMs);
  const headers = { 'content-type': 'application/json', ...signed(body, remote.secret, parts.nowMs()) };
  const name = shortName(call.name);
  try {
    const { url, bytesMax } = remote;
    const response = await parts.fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    return await read(response, bytesMax, name);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const why = signal.aborted ? `no answer within ${remote.timeoutMs} ms` : 'no connection';
    throw resolvingError('resolver_unreachable', `${name}: ${why}`, { cause: error });
  }
}

/** @param nowMs milliseconds since 1970 */
export function signed(
  body: string,
  secret: RemoteResolver['secret'],
  nowMs: number,
): Readonly<Record<string, string>> {
  const id = `msg_${randomUUID()}`;
  const timestamp = String(Math.floor(nowMs / 1000));
  const signatures = [secret].flat().map((one) => {
    const mac = createHmac('sha256', keyOf(one)).update(`${id}.${timestamp}.${body}`).digest('base64');
    return `v1,${mac}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/** `whsec_` and base64, as the scheme writes secrets; any other text as it is. */
function keyOf(secret: string): Buffer {
  const prefix = 'whsec_';
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret);
}

async function read(response: Response, bytesMax: number, name: string): Promise<unknown> {
  const { status } = response;
  const wrong = status === 400 || status === 422;
  if (status !== 200 && !wrong) {
    await response.body?.cancel();
    if (status === 404) return null;
    const code = status >= 500 || PASSING.includes(status) ? 'resolver_failed' : 'resolver_refused';
    throw resolvingError(code, `${name}: status ${status}`);
  }
  const text = await limited(response, bytesMax);
  if (wrong) throw resolvingError('query_args_invalid', `${name}: ${explanation(text ?? '')}`);
  if (text === null)
    throw resolvingError('resolver_answer_invalid', `${name}: longer than ${bytesMax} bytes`);
  try {
    return parseJson(text);
  } catch (error) {
    throw resolvingError('resolver_answer_invalid', `${name}: not JSON`, { cause: error });
  }
}

/** `detail` of its JSON, as FastAPI has it where it is a text. */
function explanation(text: string): string {
  try {
    const answer: unknown = JSON.parse(text);
    const detail: unknown =
      typeof answer === 'object' && answer !== null && 'detail' in answer ? answer.detail : null;
    if (typeof detail === 'string') return detail.slice(0, DETAIL_MAX);
  } catch {
    // an explanation is a courtesy
  }
  return 'the resolver says so';
}

/** @returns null when it is longer */
async function limited(response: Response, bytesMax: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
