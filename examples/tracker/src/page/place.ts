import { useSyncExternalStore } from 'react';
import { ORDERS, STATUSES, type Order, type Status } from '../shared/vocabulary.js';

/** What the page shows: all of it is in the address, so that links and the back button work. */
export interface Place {
  /** Null: of all projects. */
  readonly projectId: number | null;
  /** None: of any status. */
  readonly statuses: readonly Status[];
  /** 0: nobody's; null: anybody's. */
  readonly assigneeId: number | null;
  readonly text: string;
  readonly order: Order;
  /** The issue that is open. */
  readonly issueId: number | null;
}

export const EVERYTHING: Place = {
  projectId: null,
  statuses: [],
  assigneeId: null,
  text: '',
  order: 'created',
  issueId: null,
};

const listeners = new Set<() => void>();
let known = { search: '', place: EVERYTHING };

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, currentPlace);
}

export function currentPlace(): Place {
  const { search } = window.location;
  if (search !== known.search) known = { search, place: parse(search) };
  return known.place;
}

/** @param how `replace` while somebody types: not every letter is a step back */
export function go(change: Partial<Place>, how: 'push' | 'replace' = 'push'): void {
  const href = hrefOf({ ...currentPlace(), ...change });
  if (href === window.location.pathname + window.location.search) return;
  window.history[how === 'push' ? 'pushState' : 'replaceState'](null, '', href);
  listeners.forEach((listener) => listener());
}

export function hrefOf({ projectId, statuses, assigneeId, text, order, issueId }: Place): string {
  const search = new URLSearchParams();
  if (projectId !== null) search.set('project', String(projectId));
  if (statuses.length > 0) search.set('status', statuses.join(' '));
  if (assigneeId !== null) search.set('assignee', String(assigneeId));
  if (text !== '') search.set('q', text);
  if (order !== 'created') search.set('order', order);
  if (issueId !== null) search.set('issue', String(issueId));
  return search.size === 0 ? '/' : `/?${search}`;
}

function parse(query: string): Place {
  const search = new URLSearchParams(query);
  const statuses = (search.get('status') ?? '').split(' ');
  return {
    projectId: id(search.get('project')),
    statuses: STATUSES.filter((status) => statuses.includes(status)),
    assigneeId: id(search.get('assignee')),
    text: (search.get('q') ?? '').slice(0, 200),
    order: ORDERS.find((order) => order === search.get('order')) ?? 'created',
    issueId: id(search.get('issue')),
  };
}

function id(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('popstate', moved);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('popstate', moved);
  };
}

function moved(): void {
  listeners.forEach((listener) => listener());
}
