import type { SluiceError } from '@sluice/core/errors';
import type { SourceStatus } from '../source/source-status.js';

/** Whether clients can be served now, and if not, what is waited for. */
export interface Readiness {
  readonly ok: boolean;
  readonly waitsFor?: string;
  readonly [detail: string]: unknown;
}

/** This instance cannot go on, and is stopping itself. */
export function failedReadiness({ code, message, hint }: SluiceError): Readiness {
  return { ok: false, waitsFor: 'nothing: this server cannot go on', error: { code, message, hint } };
}

export function readinessOf(source: SourceStatus, stopping: boolean): Readiness {
  if (stopping) return { ok: false, waitsFor: 'nothing: this server is stopping' };
  switch (source.state) {
    case 'streaming':
      return source.backlog === 'none' ? { ok: true } : { ok: true, degraded: degradation(source) };
    case 'settling':
      return {
        ok: false,
        waitsFor: 'transactions that were open when the slot was made; until they end no snapshot is exact',
        transactions: source.blocking.map(({ xid, pid, prepared, ageMs }) => ({ xid, pid, prepared, ageMs })),
      };
    case 'waiting':
      return { ok: false, waitsFor: `the slot ${source.slot ?? ''}, which another process reads` };
    case 'connecting':
      return {
        ok: false,
        waitsFor: 'the connection to Postgres and a replication slot',
        ...(source.lastError === null ? {} : { error: source.lastError }),
      };
    case 'disconnected':
      return { ok: false, waitsFor: 'the connection to Postgres, which broke', error: source.lastError };
    case 'stopped':
      return { ok: false, waitsFor: 'the start of the stream' };
  }
}

/** Clients are served what there is; a balancer that sent them elsewhere would find the same there. */
function degradation({ backlog, backlogMs, lagBytes, maxRetainedWalBytes }: SourceStatus): unknown {
  return {
    why: 'the stream is far behind the WAL: nothing is read anew until it has caught up',
    stage: backlog,
    forMs: Math.round(backlogMs),
    behindBytes: lagBytes === null ? null : Number(lagBytes),
    slotGivenUpAtBytes: maxRetainedWalBytes,
  };
}
