import type { MessagePort } from 'node:worker_threads';
import type { Entry, FromViews, ToViews, ViewsPort } from './port.js';

/*
 * The seam across threads: views in one, sessions in another.
 *
 *   ViewHost ◀──ViewsPort──▶ serveViews ◀──MessagePort──▶ RemoteViews ◀──ViewsPort──▶ Sessions
 *
 * The messages are plain data and arrive in order; encoded rows and deltas are handed over, not copied a second time.
 */

/** Serves views to the thread at the other end. @returns what stops it. */
export function serveViews(views: ViewsPort, channel: MessagePort): () => void {
  const hear = (message: ToViews): void => views.post(message);
  channel.on('message', hear);
  views.listen((message) => {
    if (message.kind !== 'batch') {
      channel.postMessage(message);
      return;
    }
    const entries = message.entries.map(ownBytes);
    const buffers = entries.flatMap(bytesOf).map((bytes) => bytes.buffer as ArrayBuffer);
    channel.postMessage({ ...message, entries }, buffers);
  });
  return () => {
    channel.off('message', hear);
    channel.close();
  };
}

/** Views that live in the thread at the other end. */
export class RemoteViews implements ViewsPort {
  readonly #channel: MessagePort;

  constructor(channel: MessagePort) {
    this.#channel = channel;
  }

  post(message: ToViews): void {
    this.#channel.postMessage(message);
  }

  listen(listener: (message: FromViews) => void): void {
    this.#channel.on('message', listener);
  }

  close(): void {
    this.#channel.close();
  }
}

function bytesOf(entry: Entry): readonly Uint8Array[] {
  if (!('message' in entry)) return [];
  return 'edited' in entry ? [entry.message, entry.edited] : [entry.message];
}

/** The entry with bytes in buffers of their own: that of a small Buffer is shared with others, and would go with it. */
function ownBytes(entry: Entry): Entry {
  if (!('message' in entry)) return entry;
  const own = { ...entry, message: new Uint8Array(entry.message) };
  return 'edited' in own ? { ...own, edited: new Uint8Array(own.edited) } : own;
}
