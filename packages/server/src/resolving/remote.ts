import { createHmac, randomUUID } from 'node:crypto';
import { parseJson } from '@sluice/core/json';
import { SluiceError } from '@sluice/core/errors';
import type { RemoteResolver } from '../config/config.js';
import type { Ctx } from '../config/named-query.js';
import { resolvingError } from './errors.js';

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

export interface RemoteParts {
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/**
 * @returns what it answered; null when it knows no such query
 * @throws SluiceError `resolver_unreachable`, `resolver_failed`, `resolver_refused`, `resolver_answer_invalid`,
 * `query_args_invalid`
 */
export async function resolveRemotely(
  remote: RemoteResolver,
  parts: RemoteParts,
  call: { readonly name: string; readonly args: unknown; readonly ctx: Ctx },
): Promise<unknown> {
  const body = JSON.stringify(call);
  const signal = AbortSignal.timeout(remote.timeoutMs);
  const headers = { 'content-type': 'application/json', ...signed(body, remote.secret, parts.nowMs()) };
  try {
    const response = await parts.fetch(remote.url, {
      method: 'POST',
      headers,
      body,
      signal,
      redirect: 'error',
    });
    return read(response.status, await limited(response, remote.bytesMax), call.name);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const why = signal.aborted ? `no answer within ${remote.timeoutMs} ms` : 'no connection';
    throw resolvingError('resolver_unreachable', `${call.name}: ${why}`, { cause: error });
  }
}

/** @param nowMs milliseconds since 1970 */
export function signed(body: string, secret: string, nowMs: number): Readonly<Record<string, string>> {
  const id = `msg_${randomUUID()}`;
  const timestamp = String(Math.floor(nowMs / 1000));
  const mac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}

/** `whsec_` and base64, as the scheme writes secrets; any other text as it is. */
function keyOf(secret: string): Buffer {
  const prefix = 'whsec_';
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret);
}

function read(status: number, text: string, name: string): unknown {
  if (status === 404) return null;
  if (status === 400 || status === 422) {
    throw resolvingError('query_args_invalid', `${name}: ${explanation(text)}`);
  }
  if (status >= 500) throw resolvingError('resolver_failed', `${name}: status ${status}`);
  if (status !== 200) throw resolvingError('resolver_refused', `${name}: status ${status}`);
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

async function limited(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw resolvingError('resolver_answer_invalid', `longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
