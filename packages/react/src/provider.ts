'use client';
import { createContext, createElement, useContext, useSyncExternalStore, type ReactNode } from 'react';
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
  const subscribe = (listener: () => void): (() => void) => client.subscribe(listener);
  return useSyncExternalStore(
    subscribe,
    () => client.status,
    () => 'connecting',
  );
}
