import { viewsError } from './errors.js';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const TICK_MAX_MS = 24 * UNIT_MS.h;

/** Reads `10s`, `1m`, `1h`: between a second and a day. @throws tick_invalid */
export function parseTickMs(tick: string | undefined): number {
  const match = /^([1-9]\d{0,5})([smh])$/.exec(tick ?? '');
  const ms = match ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS] : 0;
  if (ms < UNIT_MS.s || ms > TICK_MAX_MS) throw viewsError('tick_invalid');
  return ms;
}
