import type { Explanation } from '@sluice/core/explanation';
import { clientError, fromWire } from './errors.js';
import { isWireError } from './message.js';
import type { Request } from './request.js';

/**
 * Asks beside the WebSocket, by HTTP.
 * @param socketUrl null where it is not known
 */
export async function explain(
  socketUrl: string | null,
  token: string | undefined,
  request: Request,
): Promise<Explanation> {
  if (socketUrl === null) throw clientError('url_relative');
  const url = socketUrl.replace(/^ws/, 'http').replace(/\/ws(?=\?|$)/, '/explain');
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(request),
  }).catch((error: unknown) => {
    throw clientError('connect_failed', url.split('?', 1)[0], error);
  });
  const answer: unknown = await response.json().catch(() => null);
  if (isExplanation(answer)) return answer;
  const error: unknown =
    typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : null;
  throw isWireError(error) ? fromWire(error) : clientError('protocol_violated', `status ${response.status}`);
}

function isExplanation(answer: unknown): answer is Explanation {
  return typeof answer === 'object' && answer !== null && 'gear' in answer && 'tree' in answer;
}
