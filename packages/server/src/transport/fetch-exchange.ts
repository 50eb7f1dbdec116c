import { transportError } from './errors.js';
import type { Answer, Exchange } from './exchange.js';

/** How many bytes of an event stream may wait to be read before it counts as slow. */
const STREAM_BUFFER_BYTES = 64 * 1024;

/** A request of the Fetch standard, as frameworks hand it on. */
export function fetchExchange(request: Request, path: string, query: URLSearchParams): Exchange {
  return {
    method: request.method,
    path,
    query,
    headers: Object.fromEntries(request.headers),
    header: (name) => request.headers.get(name) ?? undefined,
    url: request.url,
    text: async (bytesMax) => {
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>) {
        bytes += part.length;
        if (bytes > bytesMax) throw transportError('message_too_large');
        parts.push(part);
      }
      return Buffer.concat(parts).toString();
    },
  };
}

export function answerFetch({ status, headers, body }: Answer): Response {
  if (typeof body === 'string') return new Response(status === 204 ? null : body, { status, headers });
  const encoder = new TextEncoder();
  let stream: ReturnType<typeof body> | null = null;
  const readable = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        stream = body({
          write: (text) => controller.enqueue(encoder.encode(text)),
          get bufferedBytes() {
            return STREAM_BUFFER_BYTES - (controller.desiredSize ?? 0);
          },
          end: () => {
            stream?.closed();
            controller.close();
          },
        });
      },
      pull: () => stream?.drained(),
      cancel: () => stream?.closed(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: STREAM_BUFFER_BYTES }),
  );
  return new Response(readable, { status, headers });
}
