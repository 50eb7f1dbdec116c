import { useLayoutEffect, useRef, type RefObject } from 'react';
import type { VirtualItem } from '@tanstack/react-virtual';
import type { IssueRow } from './live.js';

/**
 * What somebody reads stays where it is when rows come and go above it. By how many lines most of the rows in view
 * have moved is what the list is scrolled by: one of them that goes to the top, because it was changed, takes nobody
 * with it. At the top the list stays at the top: there one looks at what comes.
 */
export function useSteadyScroll(
  rows: readonly IssueRow[],
  rowPx: number,
  scroller: RefObject<HTMLElement | null>,
  items: readonly VirtualItem[],
): void {
  const shown = useRef<{ rows: readonly IssueRow[]; indexes: ReadonlyMap<number, number> } | null>(null);
  useLayoutEffect(() => {
    const before = shown.current;
    const element = scroller.current;
    if (before !== null && before.rows !== rows && element !== null && element.scrollTop > 0) {
      const lines = movedBy(before.indexes, rows);
      if (lines !== 0) element.scrollTop += lines * rowPx;
    }
    const seen = items.flatMap(({ index }) => {
      const row = rows[index];
      return row === undefined ? [] : [[row.id, index] as const];
    });
    shown.current = { rows, indexes: new Map(seen) };
  });
}

/** The median of what they have moved by; 0 when they are gone. */
function movedBy(before: ReadonlyMap<number, number>, rows: readonly IssueRow[]): number {
  const moves: number[] = [];
  for (const [index, { id }] of rows.entries()) {
    const old = before.get(id);
    if (old !== undefined) moves.push(index - old);
    if (moves.length === before.size) break;
  }
  moves.sort((a, b) => a - b);
  return moves[Math.floor(moves.length / 2)] ?? 0;
}
