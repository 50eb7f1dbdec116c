import { TcpProxy } from '../kit/tcp-proxy.js';

/** A name that leads to one server after another, as DNS or a virtual address would. */
export class Way {
  readonly #proxy: TcpProxy;
  readonly #target: { port: number | null };

  private constructor(proxy: TcpProxy, target: { port: number | null }) {
    this.#proxy = proxy;
    this.#target = target;
  }

  static async to({ port }: { readonly port: number }): Promise<Way> {
    const target: { port: number | null } = { port };
    const upstream = (): { host: string; port: number } | null =>
      target.port === null ? null : { host: '127.0.0.1', port: target.port };
    return new Way(await TcpProxy.listen(upstream), target);
  }

  get port(): number {
    return this.#proxy.port;
  }

  /** The same database by this name. */
  url(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.port = String(this.port);
    return url.href;
  }

  /** From now on it leads there, or nowhere; connections that were made before are cut. */
  lead(server: { readonly port: number } | null): void {
    this.#target.port = server?.port ?? null;
    this.#proxy.cut();
  }

  close(): Promise<void> {
    return this.#proxy.close();
  }
}
