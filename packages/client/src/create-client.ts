import type { AnyApi, Mutate, Mutation, Queries, QueryRef } from './api.js';
import { Client } from './client.js';
import { clientError } from './errors.js';
import { withDefaults, type ClientOptions } from './options.js';

/** What `createClient` gives: the client, and typed ways to name the server's queries and mutators. */
export interface Sluice<Api> {
  readonly client: Client;
  readonly queries: Queries<Api>;
  readonly mutate: Mutate<Api>;
}

/**
 * Makes a client and begins to connect. Nothing is thrown for what the network does: see `client.status`.
 *
 *     const { client, queries } = createClient<Api>({ url: 'https://live.example.org' });
 *     const issues = client.live(queries.issuesOf({ project: 7 }));
 *     issues.subscribe(({ status, rows }) => render(status, rows));
 *
 * @throws SluiceError `url_invalid`, `option_invalid`.
 */
export function createClient<Api = AnyApi>(options: ClientOptions): Sluice<Api> {
  return {
    client: new Client(withDefaults(options)),
    queries: byName((query, args): QueryRef =>
      args === undefined ? { query } : { query, args },
    ) as Queries<Api>,
    mutate: byName(unknownMutator) as Mutate<Api>,
  };
}

/** An object that has a function under every name; `then` is left out, or awaiting it would call one. */
function byName<T>(make: (name: string, args: unknown) => T): unknown {
  return new Proxy(Object.create(null) as Record<string, (args: unknown) => T>, {
    get: (_, name) =>
      typeof name === 'string' && name !== 'then' ? (args: unknown) => make(name, args) : undefined,
  });
}

/** This version of the protocol has no mutators: whatever the name, the server has none. */
function unknownMutator(name: string): Mutation {
  const refused = <T>(): Promise<T> => {
    const promise = Promise.reject<T>(clientError('mutator_unknown', name));
    promise.catch(() => undefined); // whoever awaits neither promise has chosen not to know
    return promise;
  };
  return { local: refused<void>(), confirmed: refused() };
}
