'use client';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Client } from '@sluice/client';
import { Hold } from './hold.js';
import { LOADING, type Shown } from './shown.js';
import type { Wish } from './wish.js';

export interface HoldOptions {
  /** The component waits for an answer: nothing else is shown in its place, on a server neither. */
  readonly suspends?: boolean;
  /** See `Hold.take`. */
  readonly family?: string;
}

/**
 * Holds live views for as long as the component is mounted, and renders it again when what they show changes: once a
 * move, together with every other component whose live views changed in it.
 */
export function useHold(
  client: Client,
  wishes: readonly Wish[],
  { suspends = false, family }: HoldOptions = {},
): Shown {
  const [hold] = useState(() => new Hold());
  const look = (): Shown => hold.look(client, wishes, !suspends);
  const shown = useSyncExternalStore(hold.subscribe, look, suspends ? look : () => LOADING);
  const name = wishes.map(({ key }) => key).join('\n');
  useEffect(() => hold.take(client, wishes, family ?? name), [client, name]);
  useEffect(() => () => hold.drop(), [hold]);
  return shown;
}
