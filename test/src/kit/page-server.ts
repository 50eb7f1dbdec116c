import { createServer, type Server } from 'node:http';
import { once } from 'node:events';

/** Serves a page and its modules from memory, on an origin of its own. */
export interface PageServer {
  readonly origin: string;
  stop(): Promise<void>;
}

/** @param files modules by path; the page at `/` is empty and runs `/page.js`. */
export async function servePage(files: Readonly<Record<string, string>>): Promise<PageServer> {
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '/';
    const code = files[path];
    if (code !== undefined) response.setHeader('content-type', 'text/javascript').end(code);
    else if (path === '/')
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><title>page</title><script type="module" src="/page.js"></script>');
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
