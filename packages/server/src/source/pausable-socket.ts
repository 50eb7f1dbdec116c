import { Socket, type SocketConstructorOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type pg from 'pg';

/**
 * A paused socket goes on reading until its own buffer is full: a system call and a wake-up for every small message.
 * With room for one byte it stops after the first chunk, and the rest stays with the kernel. While it is not paused
 * nothing is kept in that buffer, so that its size does not matter.
 */
const ROOM = 1;

/** For a connection that is told to pause. TLS that is asked for by the environment only (PGSSLMODE) pauses later. */
export function pausable(config: pg.ClientConfig): pg.ClientConfig {
  const { ssl } = config;
  return {
    ...config,
    // The types leave out what every `Duplex` takes.
    stream: () => new Socket({ readableHighWaterMark: ROOM } as SocketConstructorOpts),
    // A TLS socket has a buffer of its own; `pg` hands these to `tls.connect`.
    ...(ssl === undefined || ssl === false ? {} : { ssl: secured(ssl) }),
  };
}

function secured(ssl: true | ConnectionOptions): ConnectionOptions {
  const room: ConnectionOptions & { readonly highWaterMark: number } = { highWaterMark: ROOM };
  if (ssl === true) return room;
  // `pg` hides the key of what it was given from being listed, and it may have been given this before.
  return { ...ssl, ...(ssl.key === undefined ? {} : { key: ssl.key }), ...room };
}
