import { useEffect, useState } from 'react';
import type { LiveView, QueryRef, Status } from '@sluice/client';
import { client } from '../live.js';
import { isVerifiable } from './verify.js';

/** A query on the screen, as the dock shows it. */
export interface OpenQuery {
  readonly key: string;
  readonly ref: QueryRef<unknown>;
  readonly name: string;
  readonly args: string;
  readonly status: Status;
  readonly gear: LiveView['gear'];
  readonly reason: string | null;
  /** Why it has no answer now. */
  readonly error: string | null;
  readonly rows: number;
  /** The LSN of its position; empty before there is one. */
  readonly lsn: string;
}

const LOOK_MS = 250;

/** The queries that some component shows now: looked at a few times a second, as their rows change more often. */
export function useOpenQueries(): readonly OpenQuery[] {
  const [open, setOpen] = useState<readonly OpenQuery[]>([]);
  useEffect(() => {
    const look = (): void => setOpen(openQueries());
    // The components around this one open theirs in the same commit, after this effect.
    const frame = requestAnimationFrame(look);
    const timer = setInterval(look, LOOK_MS);
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(timer);
    };
  }, []);
  return open;
}

function openQueries(): readonly OpenQuery[] {
  const open = new Map<string, OpenQuery>();
  for (const live of client.liveViews) {
    const { ref, status, gear, reason, rows, position, error } = live;
    if (!isVerifiable(ref)) continue;
    const key = client.keyOf(ref);
    const args = ref.args === undefined ? '' : short(ref.args);
    const lsn = position?.slice(position.lastIndexOf(':') + 1) ?? '';
    open.set(key, {
      key,
      ref,
      name: ref.query,
      args,
      status,
      gear,
      reason,
      error: error?.message ?? null,
      rows: rows.length,
      lsn,
    });
  }
  return [...open.values()];
}

/** `{"limit":100}` as `limit: 100` */
function short(args: unknown): string {
  return Object.entries(args as object)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
