'use client';
import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useSyncExternalStore,
  type ReactNode,
} from 'react';
import type { Client, ClientStatus } from '@sluice/client';
import { reactError } from './errors.js';

const ClientContext = createContext<Client | null>(null);

export interface SluiceProviderProps {
  /** Of `createClient`, made outside of components: it lives as long as the page. */
  readonly client: Client;
  readonly children?: ReactNode;
}

/** Gives the components below it a client to show live queries with. It does not close the client. */
export function SluiceProvider({ client, children }: SluiceProviderProps): ReactNode {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The client of the nearest `SluiceProvider`. @throws SluiceError `provider_missing`. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === null) throw reactError('provider_missing');
  return client;
}

/** The status of the client's connection: for the line that says that the screen is not up to date. */
export function useClientStatus(): ClientStatus {
  const client = useClient();
  const subscribe = useCallback((listener: () => void) => listen(client, listener), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.status,
    () => 'connecting',
  );
}

/** One listener of each client tells all components: a client takes a thousand, a page may have more. */
const listeners = new WeakMap<Client, Set<() => void>>();
const ends = new WeakMap<Client, () => void>();

function listen(client: Client, listener: () => void): () => void {
  const held = listeners.get(client) ?? new Set();
  listeners.set(client, held);
  if (held.size === 0)
    ends.set(
      client,
      client.subscribe(() => [...held].forEach((tell) => tell())),
    );
  held.add(listener);
  return () => {
    held.delete(listener);
    if (held.size === 0) ends.get(client)?.();
  };
}
