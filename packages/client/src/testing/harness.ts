import { onTestFinished, vi } from 'vitest';
import type { Client } from '../client.js';
import { createClient, type Sluice } from '../create-client.js';
import type { LiveView } from '../live-view.js';
import type { ClientOptions } from '../options.js';
import type { Wakeup } from '../wakeups.js';
import { DEADLINE_MS, within } from './deadline.js';
import { ManualClock } from './manual-clock.js';
import { ScriptedServer, type Peer } from './scripted-server.js';

export interface Issue {
  readonly id: number;
  readonly title: string;
}

export interface Api {
  readonly queries: {
    readonly issuesOf: { readonly args: { readonly project: number }; readonly row: Issue };
    readonly everything: { readonly row: Issue };
  };
}

export interface Harness extends Sluice<Api> {
  readonly server: ScriptedServer;
  readonly clock: ManualClock;
  /** What the platform would tell. */
  wake(wakeup: Wakeup): void;
}

/** A client on a manual clock, connecting to a scripted server; `random` is 0.5. */
export async function harness(options: Partial<ClientOptions> = {}): Promise<Harness> {
  const server = await ScriptedServer.start();
  const clock = new ManualClock();
  let wake: (wakeup: Wakeup) => void = () => undefined;
  const wakeups = (listener: (wakeup: Wakeup) => void): (() => void) => {
    wake = listener;
    return () => undefined;
  };
  const made = createClient<Api>({
    url: server.url,
    clock,
    random: () => 0.5,
    wakeups,
    onConnectError: () => undefined,
    ...options,
  });
  onTestFinished(async () => {
    made.client.close();
    await server.stop();
  });
  return { ...made, server, clock, wake: (wakeup) => wake(wakeup) };
}

/** Resolves when what a test waits for is so; looks again whenever listeners are told. */
export function until<T extends LiveView<Issue> | Client>(
  subject: T,
  holds: (subject: T) => boolean,
): Promise<void> {
  const held = new Promise<void>((resolve) => {
    if (holds(subject)) return resolve();
    const look = (): void => {
      if (!holds(subject)) return;
      stop();
      resolve();
    };
    const stop = subject.subscribe(look);
  });
  return within(String(holds), held);
}

/** Resolves when the check does not throw any more. */
export function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: DEADLINE_MS });
}

/** A live view of `sql`, current with these rows, and the connection that it came over. */
export async function current(
  made: Harness,
  rows: readonly (readonly string[])[] = [['1', 'one']],
  pingMs?: number,
): Promise<{ readonly live: LiveView<Issue>; readonly peer: Peer }> {
  const live = made.client.live<Issue>({ sql: 'v' });
  const peer = await made.server.greeted(pingMs);
  const { id } = await peer.next('subscribe');
  peer.answer(id, 'v', rows, '0/10');
  await live.ready;
  return { live, peer };
}
