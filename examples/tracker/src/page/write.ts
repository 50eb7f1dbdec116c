import { useSyncExternalStore } from 'react';
import type { Status } from '../shared/vocabulary.js';
import { client } from './live.js';

export interface IssueChange {
  readonly status?: Status;
  readonly priority?: number;
  readonly assigneeId?: number | null;
}

/** What became of the last write, for the line that says so. */
export interface Notice {
  readonly kind: 'waiting' | 'done' | 'failed';
  readonly text: string;
}

const REACH_TIMEOUT_MS = 15_000;
const NOTICE_MS = 5_000;
let notice: Notice | null = null;
let clearing: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/**
 * An ordinary request to an ordinary route; the token in its answer is the one thing that it has from Sluice.
 * @returns when the change is on the screen
 */
export async function changeIssue(id: number, change: IssueChange, what: string): Promise<void> {
  await write('PATCH', `/api/issues/${id}`, change, what);
}

/** @returns whether it is there, and on the screen */
export async function addComment(issueId: number, body: string): Promise<boolean> {
  return write('POST', `/api/issues/${issueId}/comments`, { body }, 'Comment');
}

async function write(method: string, path: string, body: unknown, what: string): Promise<boolean> {
  const begunMs = performance.now();
  say({ kind: 'waiting', text: `${what} …` });
  try {
    const response = await fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error((await response.text()) || response.statusText);
    const { token } = (await response.json()) as { token: string };
    await client.reached(token, { timeoutMs: REACH_TIMEOUT_MS });
    say({ kind: 'done', text: `${what}: on screen after ${Math.round(performance.now() - begunMs)} ms` });
    return true;
  } catch (error) {
    const why = error instanceof TypeError ? 'the server cannot be reached' : String(error);
    say({ kind: 'failed', text: `${what} failed: ${why}` });
    return false;
  }
}

export function useNotice(): Notice | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notice,
  );
}

function say(next: Notice | null): void {
  notice = next;
  clearTimeout(clearing);
  if (next !== null && next.kind !== 'waiting') clearing = setTimeout(() => say(null), NOTICE_MS);
  listeners.forEach((listener) => listener());
}
