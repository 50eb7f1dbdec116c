import { useEffect, useState } from 'react';
import { client, queries } from '../live.js';

/** How old the screen was at each of the last pulses, when it had been painted. */
export interface Latency {
  readonly lastMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly samples: number;
  /** By query: of the last pulse that was painted together with it. */
  readonly ofQuery: ReadonlyMap<string, number>;
}

/** A minute of pulses. */
const SAMPLES_MAX = 240;

/**
 * The demo writes the time into a row four times a second, in a transaction of that alone. All current queries move
 * together: when that row is painted, everything that was committed before it is, in every query that is `current`.
 * Time of Postgres and of the browser are taken to be one clock, as they are on one machine.
 */
export function useLatency(): Latency | null {
  const [latency, setLatency] = useState<Latency | null>(null);
  useEffect(() => {
    const samples: number[] = [];
    const ofQuery = new Map<string, number>();
    const pulse = client.live(queries.pulse());
    let first = true;
    const stop = pulse.subscribe(() => {
      const committed = pulse.rows[0]?.at;
      // The first rows, and those after a reconnect, are as old as they are: nobody waited for them.
      const fresh = !first && pulse.status === 'current' && client.status === 'online';
      first = pulse.status !== 'current';
      if (!fresh || committed === undefined || document.hidden) return;
      const painted = client.liveViews
        .filter((live) => live.status === 'current')
        .map(({ ref }) => client.keyOf(ref));
      afterPaint(() => {
        const ms = Math.max(0, Date.now() - committed.getTime());
        samples.push(ms);
        if (samples.length > SAMPLES_MAX) samples.shift();
        for (const key of painted) ofQuery.set(key, ms);
        setLatency({ ...quantiles(samples), lastMs: ms, ofQuery });
      });
    });
    return () => {
      stop();
      pulse.close();
    };
  }, []);
  return latency;
}

/** In the task that follows the frame. */
function afterPaint(done: () => void): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  });
}

function quantiles(samples: readonly number[]): Pick<Latency, 'p50Ms' | 'p95Ms' | 'samples'> {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { p50Ms: at(0.5), p95Ms: at(0.95), samples: sorted.length };
}
