import { once } from 'node:events';
import { createServer } from 'node:http';
import { addressOf, attachTo, type Handlers } from './attach.js';
import { cliError } from './cli/errors.js';

/** A server of our own, for where there is no application to attach to. */
export interface OwnServer {
  /** `http://127.0.0.1:4400` */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws SluiceError `port_in_use`, `listen_failed` */
export async function listenOn(host: string, port: number, handlers: Handlers): Promise<OwnServer> {
  const server = createServer();
  attachTo(server, handlers);
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw cliError(code === 'EADDRINUSE' ? 'port_in_use' : 'listen_failed', `${host}:${port}`, {
      cause: error,
    });
  }
  const address = addressOf(server);
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${address?.port ?? port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
