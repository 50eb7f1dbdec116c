/** What sessions count, for the metrics. All but the gauges only ever grow. */
export interface SessionCounters {
  moves: number;
  messages: number;
  bytes: number;
  /** Views that fell behind (C14). */
  fellBehind: number;
  /** Deltas made of several for a slow client. */
  folded: number;
  /** Resumes answered by deltas that were still held, and by difference. */
  resumedByDeltas: number;
  resumedByDifference: number;
  /** Whole rows asked of the views for late joiners. */
  snapshots: number;
  /** Connections closed because they did not read. */
  closedSlow: number;
}

export function newCounters(): SessionCounters {
  return {
    moves: 0,
    messages: 0,
    bytes: 0,
    fellBehind: 0,
    folded: 0,
    resumedByDeltas: 0,
    resumedByDifference: 0,
    snapshots: 0,
    closedSlow: 0,
  };
}
