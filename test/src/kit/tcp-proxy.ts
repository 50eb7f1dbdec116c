import { connect, createServer, type Server, type Socket } from 'node:net';

/** Where a connection goes; null refuses it. */
export type Upstream = () => { readonly host: string; readonly port: number } | null;

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/** Stands between a client and a server and does to their connections what networks do. */
export class TcpProxy {
  readonly #server: Server;
  readonly #upstream: Upstream;
  readonly #pairs = new Set<Pair>();
  #stalled = false;

  private constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#server = createServer((near) => this.#accept(near));
  }

  static async listen(upstream: Upstream): Promise<TcpProxy> {
    const proxy = new TcpProxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('assertion failed: not listening');
    return address.port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Nothing passes any more, in either direction, and nobody is told. Connections made meanwhile stall too. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) hold(pair);
  }

  /** What was held passes. */
  resume(): void {
    this.#stalled = false;
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  /** Slows one connection to a halt: what the server sends to it is not read. @returns what lets it go on. */
  stallOne(choose: (count: number) => number): () => void {
    const pairs = [...this.#pairs];
    const pair = pairs[choose(pairs.length)];
    if (!pair) return () => undefined;
    pair.far.pause();
    return () => {
      if (!this.#stalled) pair.far.resume();
    };
  }

  /** Resets every connection. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    const target = this.#upstream();
    if (!target) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(target.port, target.host);
    const pair = { near, far };
    this.#pairs.add(pair);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
    if (this.#stalled) hold(pair);
  }
}

function hold({ near, far }: Pair): void {
  near.pause();
  far.pause();
}
