import { connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export type Direction = 'toServer' | 'toClient';

/** Between what a trickle lets through. */
const TRICKLE_MS = 100;

/** A TCP proxy on the loopback that a test can stall, cut or close, for partitions and slow networks. */
export class TcpProxy {
  readonly #server: Server;
  #targetPort: number;
  readonly #pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  readonly #latencyMs: number;
  /** Of connections that are over. */
  #pastBytes = 0;
  #refusing = false;

  private constructor(targetPort: number, latencyMs: number) {
    this.#targetPort = targetPort;
    this.#latencyMs = latencyMs;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param latencyMs how long everything is on its way, in each direction */
  static async start(targetPort: number, latencyMs = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort, latencyMs);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** What the server has sent so far, on all connections there were. */
  get bytesToClient(): number {
    return [...this.#pairs].reduce((sum, { server }) => sum + server.bytesRead, this.#pastBytes);
  }

  /** Bytes in that direction stay in the sender's and the kernel's buffers, for the connections there are now. */
  pause(direction?: Direction): void {
    for (const { client, server } of this.#pairs) {
      if (direction !== 'toClient') client.pause();
      if (direction !== 'toServer') server.pause();
    }
  }

  resume(): void {
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /** Lets what one read brings through to the clients now and then, for so long. Of a proxy without latency. */
  async trickle(ms: number): Promise<void> {
    const pairs = [...this.#pairs];
    // Not paused: a pipe that is drained begins to flow again.
    for (const { client, server } of pairs) server.unpipe(client);
    for (const end = performance.now() + ms; performance.now() < end; await delay(TRICKLE_MS))
      for (const { client, server } of pairs) {
        const chunk: unknown = server.read();
        if (Buffer.isBuffer(chunk)) client.write(chunk);
      }
    for (const { client, server } of pairs) server.pipe(client);
  }

  /** Ends all connections there are now, with a reset. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Where new connections go from now on, as when a DNS name moves. */
  lead(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** Whether new connections are turned away. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#targetPort, '127.0.0.1');
    const pair = { client, server };
    this.#pairs.add(pair);
    const over = (): void => {
      if (this.#pairs.delete(pair)) this.#pastBytes += server.bytesRead;
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.on('error', over);
      socket.on('close', over);
    }
    if (this.#latencyMs === 0) {
      client.pipe(server);
      server.pipe(client);
    } else {
      client.pipe(late(this.#latencyMs)).pipe(server);
      server.pipe(late(this.#latencyMs)).pipe(client);
    }
  }
}

/** What goes in comes out later, as much at a time as one likes: a long line, not a narrow one. */
function late(ms: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      setTimeout(() => this.push(chunk), ms);
      done();
    },
    flush(done) {
      setTimeout(done, ms);
    },
  });
}
