import type { IncomingMessage, ServerResponse } from 'node:http';
import { transportError } from './errors.js';
import type { Answer, Exchange } from './exchange.js';

/** A request of `node:http`. */
export function nodeExchange(request: IncomingMessage, path: string, query: URLSearchParams): Exchange {
  return {
    method: request.method ?? 'GET',
    path,
    query,
    headers: request.headers,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    url: request.url ?? '/',
    text: (bytesMax) => readBody(request, bytesMax),
  };
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bytesMax) throw transportError('message_too_large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

export function answerNode(response: ServerResponse, answer: Answer): void {
  const { status, headers, body } = answer;
  if (typeof body === 'string') {
    // What was not read of a refused body must not be taken for the next request.
    const refused: Readonly<Record<string, string>> = status === 413 ? { connection: 'close' } : {};
    response.writeHead(status, { ...headers, ...refused }).end(body);
    return;
  }
  response.writeHead(status, headers);
  response.flushHeaders();
  const stream = body({
    write: (text) => void response.write(text),
    get bufferedBytes() {
      return response.writableLength;
    },
    end: () => void response.end(),
  });
  response.on('drain', () => stream.drained());
  response.on('close', () => stream.closed());
}
