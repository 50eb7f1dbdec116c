import { analysisError } from './errors.js';
import type { Frame, FrameBound, Scalar } from './query-tree.js';

// The bits of a window's frame options, as Postgres's parsenodes.h has them.
const ROWS = 0x4;
const GROUPS = 0x8;
const START_UNBOUNDED_PRECEDING = 0x20;
const END_UNBOUNDED_FOLLOWING = 0x100;
const START_CURRENT_ROW = 0x200;
const END_CURRENT_ROW = 0x400;
const START_PRECEDING = 0x800;
const END_PRECEDING = 0x1000;
const START_FOLLOWING = 0x2000;
const END_FOLLOWING = 0x4000;
const EXCLUDE_CURRENT_ROW = 0x8000;
const EXCLUDE_GROUP = 0x10000;
const EXCLUDE_TIES = 0x20000;

export function frameOf(options: number, start: Scalar | null, end: Scalar | null): Frame {
  const has = (bit: number): boolean => (options & bit) !== 0;
  return {
    mode: has(ROWS) ? 'rows' : has(GROUPS) ? 'groups' : 'range',
    start: has(START_UNBOUNDED_PRECEDING)
      ? { kind: 'unbounded preceding' }
      : bound(has(START_CURRENT_ROW), has(START_PRECEDING), has(START_FOLLOWING), start),
    end: has(END_UNBOUNDED_FOLLOWING)
      ? { kind: 'unbounded following' }
      : bound(has(END_CURRENT_ROW), has(END_PRECEDING), has(END_FOLLOWING), end),
    exclude: has(EXCLUDE_CURRENT_ROW)
      ? 'current row'
      : has(EXCLUDE_GROUP)
        ? 'group'
        : has(EXCLUDE_TIES)
          ? 'ties'
          : 'nothing',
  };
}

function bound(current: boolean, preceding: boolean, following: boolean, offset: Scalar | null): FrameBound {
  if (current) return { kind: 'current row' };
  if (offset === null || preceding === following)
    throw analysisError('analysis_unreadable', 'WINDOWCLAUSE: the field frameOptions');
  return { kind: preceding ? 'preceding' : 'following', offset };
}
