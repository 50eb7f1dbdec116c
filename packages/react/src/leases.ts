import type { Client, LiveView } from '@sluice/client';
import type { Shown } from './shown.js';
import type { Wish } from './wish.js';

/** How long an answer waits for the component that suspended for it, and such a component until it asks again. */
const LEASE_MS = 10_000;
/** How long an error does: whoever tries again after that asks anew. */
const ERROR_LEASE_MS = 1_000;
/** How long React may take to render a component whose wait was cut off. */
const ASKS_AGAIN_MS = 2_000;

interface Lease {
  readonly live: LiveView<unknown>;
  readonly answered: Promise<void>;
}

/**
 * Live views of components that suspend: React forgets all about such a component, so what it waits for is kept
 * beside the client, until the component is mounted and holds the query itself, or never comes.
 */
const leases = new WeakMap<Client, Map<string, Lease>>();

/** The state of a query that a component is waiting for. */
export function leased(client: Client, key: string): Shown | undefined {
  return leases.get(client)?.get(key)?.live.state;
}

/**
 * Resolves when the query has an answer or an error.
 * @throws SluiceError when it cannot be asked.
 */
export function lease(client: Client, { key, ref, error }: Wish): Promise<void> {
  if (error) throw error;
  const held = leases.get(client) ?? new Map<string, Lease>();
  leases.set(client, held);
  const known = held.get(key);
  if (known) return known.answered;
  const live = client.live(ref);
  const forget = (): void => {
    if (held.get(key)?.live === live) held.delete(key);
  };
  const letGo = (): void => {
    forget();
    live.close();
  };
  const answered = new Promise<void>((wake) => {
    // Nobody tells that a component waits no more. One that does is rendered, and asks again before this one closes.
    const stopWaiting = setTimeout(() => {
      forget();
      wake();
      setTimeout(letGo, ASKS_AGAIN_MS);
    }, LEASE_MS);
    const end = (ms: number): void => {
      clearTimeout(stopWaiting);
      setTimeout(letGo, ms);
      wake();
    };
    live.ready.then(
      () => end(LEASE_MS),
      () => end(ERROR_LEASE_MS),
    );
  });
  held.set(key, { live, answered });
  return answered;
}

export function release(client: Client, key: string): void {
  const held = leases.get(client);
  held?.get(key)?.live.close();
  held?.delete(key);
}
