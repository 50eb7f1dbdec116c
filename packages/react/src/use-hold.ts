'use client';
import { useEffect, useLayoutEffect, useReducer, useState, useSyncExternalStore } from 'react';
import type { Client } from '@sluice/client';
import { Hold } from './hold.js';
import { LOADING, ON_SERVER, type Shown } from './shown.js';
import type { Wish } from './wish.js';

export interface HoldOptions {
  /** The component waits for an answer: nothing else is shown in its place. */
  readonly suspends?: boolean;
  /** See `Hold.take`. */
  readonly family?: string;
}

/** React 18 warns of layout effects on a server, where no effect runs. */
const useEffectBeforePaint = typeof window === 'undefined' ? useEffect : useLayoutEffect;

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
  const shown = useSyncExternalStore(hold.subscribe, look, () => (suspends ? ON_SERVER : LOADING));
  const [, renderAgain] = useReducer((times: number) => times + 1, 0);
  // What <Activity> hid has heard of nothing since, and React shows it again without rendering it.
  useEffectBeforePaint(() => {
    if (look() !== shown) renderAgain();
  }, [hold]);
  const name = wishes.map(({ key }) => key).join('\n');
  useEffect(() => hold.take(client, wishes, family ?? name), [client, name]);
  useEffect(() => () => hold.drop(), [hold]);
  return shown;
}
