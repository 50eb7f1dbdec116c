import { useSyncExternalStore } from 'react';
import type { Status } from '../shared/vocabulary.js';
import { client } from './live.js';

export interface IssueChange {
  readonly status?: Status;
  readonly priority?: number;
  readonly assigneeId?: number | null;
  readonly labelIds?: readonly number[];
}

export interface NewIssue {
  readonly projectId: number;
  readonly title: string;
  readonly description: string;
  readonly status: Status;
  readonly priority: number;
  readonly assigneeId: number | null;
  readonly labelIds: readonly number[];
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

/** @returns whether it is there: on the screen, or said to be late */
export async function addComment(issueId: number, body: string): Promise<boolean> {
  return (await write('POST', `/api/issues/${issueId}/comments`, { body }, 'Comment')) !== null;
}

/** @returns its id, when the lists on the screen have it; null when it could not be made */
export async function createIssue(issue: NewIssue): Promise<number | null> {
  return (await write('POST', '/api/issues', issue, 'New issue'))?.id ?? null;
}

interface Written {
  readonly token: string;
  readonly id?: number;
}

async function write(method: string, path: string, body: unknown, what: string): Promise<Written | null> {
  const begunMs = performance.now();
  say({ kind: 'waiting', text: `${what} …` });
  let written: Written | null = null;
  try {
    const response = await fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error((await response.text()) || response.statusText);
    written = (await response.json()) as Written;
    await client.reached(written.token, { timeoutMs: REACH_TIMEOUT_MS });
    say({ kind: 'done', text: `${what}: on screen after ${Math.round(performance.now() - begunMs)} ms` });
  } catch (error) {
    say({ kind: 'failed', text: `${what}${failure(error, written !== null)}` });
  }
  return written;
}

function failure(error: unknown, isWritten: boolean): string {
  if (isWritten) return ' is written, but the screen does not show it yet: the server is away.';
  // What `fetch` throws; whether the server did it before it went is not known.
  if (error instanceof TypeError) return ' failed: the server cannot be reached.';
  return ` failed: ${error instanceof Error ? error.message : String(error)}`;
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
