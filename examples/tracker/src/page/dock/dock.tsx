import { useEffect, useState, type ReactElement } from 'react';
import { useClientStatus } from '@sluice/react';
import type { DemoState } from '../../shared/demo-api.js';
import { Icon } from '../icons.js';
import { useLatency, type Latency } from './latency.js';
import { useOpenQueries } from './open-queries.js';
import { QueryTable } from './query-table.js';
import { request } from './request.js';
import { SqlBox } from './sql-box.js';
import { verify, type Verdict } from './verify.js';

export interface DockProps {
  readonly isOpen: boolean;
  readonly toggle: () => void;
}

/** Below the application: what Sluice does for it, and ways to put that to the test. */
export function Dock({ isOpen, toggle }: DockProps): ReactElement {
  const queries = useOpenQueries();
  const latency = useLatency();
  const [verdict, setVerdict] = useState<Verdict | Error | null>(null);
  const found = verdict instanceof Error ? null : verdict;
  return (
    <aside className={`dock${isOpen ? ' is-open' : ''}`} aria-label="Dock">
      <div className="dock-bar">
        <button
          type="button"
          className="dock-toggle"
          aria-expanded={isOpen}
          aria-controls="dock-body"
          onClick={toggle}
        >
          <Icon name={isOpen ? 'down' : 'up'} />
          <span>
            {queries.length} <span className="wide-only">live </span>
            {queries.length === 1 ? 'query' : 'queries'}
          </span>
        </button>
        <Age latency={latency} />
        <span className="dock-space" />
        <Load />
        <KillButton />
        <VerifyButton told={setVerdict} verdict={verdict} />
      </div>
      {isOpen && (
        <div className="dock-body" id="dock-body">
          <section className="dock-queries" aria-label="Queries" tabIndex={0}>
            <QueryTable queries={queries} latency={latency} verdict={found} />
            {verdict instanceof Error && <p className="failed">{verdict.message}</p>}
            {found && (
              <p className="dock-note">
                Compared with Postgres at {found.lsn}, in {found.tookMs} ms. Writers waited meanwhile.
              </p>
            )}
          </section>
          <SqlBox />
        </div>
      )}
    </aside>
  );
}

function Age({ latency }: { latency: Latency | null }): ReactElement {
  const title = 'From commit to paint: the last one, and 95 of 100 during the last minute';
  return (
    <span className="age" title={title}>
      <Icon name="bolt" />
      {latency === null ? '–' : latency.lastMs} ms
      <span className="wide-only">{latency && ` · p50 ${latency.p50Ms} · p95 ${latency.p95Ms}`}</span>
    </span>
  );
}

const LOAD_MAX = 1_000;
const LOAD_STEP = 50;

/** Changes a second, made by a process of their own. */
function Load(): ReactElement {
  const status = useClientStatus();
  const [perSecond, setPerSecond] = useState(0);
  useEffect(() => {
    if (status !== 'online') return;
    // A server that is away again says so itself.
    request<DemoState>('GET', '/demo/state').then(
      (state) => setPerSecond(state.loadPerSecond),
      () => undefined,
    );
  }, [status]);
  const change = (wanted: number): void => {
    setPerSecond(wanted);
    request('POST', '/demo/load', { perSecond: wanted }).catch(() => undefined);
  };
  return (
    <label className="load">
      <span className="wide-only">Load</span>
      <input
        type="range"
        aria-label="Changes a second"
        min={0}
        max={LOAD_MAX}
        step={LOAD_STEP}
        value={perSecond}
        onChange={({ target }) => change(Number(target.value))}
      />
      <output>{perSecond}/s</output>
    </label>
  );
}

/** `kill -9` of the process that serves this page and its queries. */
function KillButton(): ReactElement {
  const status = useClientStatus();
  return (
    <button
      type="button"
      className="button danger"
      disabled={status !== 'online'}
      onClick={() => void fetch('/demo/kill', { method: 'POST' }).catch(() => undefined)}
    >
      Kill server
    </button>
  );
}

interface VerifyProps {
  readonly verdict: Verdict | Error | null;
  readonly told: (verdict: Verdict | Error | null) => void;
}

function VerifyButton({ verdict, told }: VerifyProps): ReactElement {
  const [isRunning, setRunning] = useState(false);
  const run = async (): Promise<void> => {
    setRunning(true);
    told(null);
    told(
      await verify().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    );
    setRunning(false);
  };
  const all = verdict === null || verdict instanceof Error ? [] : [...verdict.queries.values()];
  const wrong = all.filter(({ isEqual }) => !isEqual).length;
  return (
    <>
      <button type="button" className="button" disabled={isRunning} onClick={() => void run()}>
        Verify
      </button>
      <span className="verdict" role="status" data-equal={verdict instanceof Error ? false : wrong === 0}>
        {verdict instanceof Error
          ? 'not compared'
          : all.length > 0 && (wrong === 0 ? `✓ ${all.length} equal` : `✗ ${wrong} of ${all.length} differ`)}
      </span>
    </>
  );
}
