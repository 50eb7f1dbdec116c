import { useEffect, useState, type ReactElement } from 'react';
import type { Explanation, Observed, QueryRef, Timing } from '@sluice/client';
import { formatBytes, formatCount, formatMs } from '../format.js';
import { client } from '../live.js';

/** How often an explanation that is shown is asked for anew: its numbers grow. */
const LOOK_MS = 2_000;

/** Why a query is as fast, or as slow, as it is. */
export function Explain({ of, name }: { of: QueryRef<unknown>; name: string }): ReactElement {
  const [explained, setExplained] = useState<Explanation | Error | null>(null);
  const key = client.keyOf(of);
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      const next = await client
        .explain(of)
        .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
      if (isGone) return;
      // While the server is away, what it said last stays.
      setExplained((before) => (next instanceof Error && before !== null ? before : next));
      timer = setTimeout(() => void look(), LOOK_MS);
    };
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [key]);
  return (
    <section className="explain" aria-label={`Explanation of ${name}`} aria-busy={explained === null}>
      {explained === null ? (
        <p>Asking…</p>
      ) : explained instanceof Error ? (
        <p className="failed">{explained.message}</p>
      ) : (
        <Explained explanation={explained} name={name} />
      )}
    </section>
  );
}

function Explained({ explanation, name }: { explanation: Explanation; name: string }): ReactElement {
  const { gear, reason, remedy, hints, tree, observed } = explanation;
  return (
    <>
      {observed && <Numbers observed={observed} />}
      {reason !== null && (
        <p className="explain-reason">
          <b>Re-run.</b> {reason} {remedy !== null && <span className="explain-remedy">{remedy}</span>}
        </p>
      )}
      {observed !== null && observed.handedOver !== null && (
        <p className="explain-reason">
          <b>Re-run.</b> {observed.handedOver}
        </p>
      )}
      {hints.map((hint) => (
        <p key={hint} className="explain-hint">
          <b>Hint.</b> {hint}
        </p>
      ))}
      <pre tabIndex={0} aria-label={`${gear === 'rerun' ? 'SQL' : 'Plan'} of ${name}`}>
        {tree.join('\n')}
      </pre>
    </>
  );
}

function Numbers({ observed }: { observed: Observed }): ReactElement {
  const { views, changes, transactions, misses, hydrations, reruns, heldRows } = observed;
  return (
    <dl className="numbers">
      {transactions.count > 0 && (
        <Figure
          name="A transaction"
          value={eachOf(transactions)}
          more={p95Of(transactions)}
          title="What it takes to bring the views up to one"
        />
      )}
      <Figure
        name="Changes"
        value={formatCount(changes)}
        title="Of the tables that it reads, since its first view was opened"
      />
      {reruns.count > 0 && (
        <Figure
          name="Re-runs"
          value={formatCount(reruns.count)}
          more={`${eachOf(reruns)} each`}
          title="Times that Postgres ran it again"
        />
      )}
      <Figure
        name="Held"
        value={`${formatCount(heldRows)} ${heldRows === 1 ? 'row' : 'rows'}`}
        more={formatBytes(observed.heldBytes)}
        title="On the server, for all of its views"
      />
      <Figure
        name="Misses"
        value={formatCount(misses)}
        more={unsentOf(observed)}
        title="Views that lacked a row, and were read anew; of these, those for want of long values that are not sent"
      />
      {hydrations.count > 0 && (
        <Figure
          name="Hydrations"
          value={formatCount(hydrations.count)}
          more={`${eachOf(hydrations)} each`}
          title="Reads that filled its views"
        />
      )}
      <Figure
        name="Told"
        value={`${formatCount(observed.toldRows)} ${observed.toldRows === 1 ? 'row' : 'rows'}`}
        more={formatBytes(observed.toldBytes)}
        title="Rows and edits of rows, once for all clients"
      />
      <Figure
        name="Views"
        value={formatCount(views)}
        title="Open or kept on the server: one for each set of arguments"
      />
    </dl>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly more?: string;
  readonly title: string;
}

function Figure({ name, value, more, title }: FigureProps): ReactElement {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>
        {value}
        {more !== undefined && more !== '' && <small>{more}</small>}
      </dd>
    </div>
  );
}

function unsentOf({ unsent }: Observed): string {
  const count = unsent.reduce((sum, { misses }) => sum + misses, 0);
  return count === 0 ? '' : `${formatCount(count)} unsent`;
}

function eachOf({ count, totalMs }: Timing): string {
  return formatMs(totalMs / Math.max(1, count));
}

function p95Of({ p95Ms }: Timing): string {
  return p95Ms === null ? '' : `p95 ${formatMs(p95Ms)}`;
}
