import { Fragment, useState, type ReactElement } from 'react';
import sources from 'virtual:query-sources';
import { formatCount } from '../format.js';
import { Icon } from '../icons.js';
import { Explain } from './explain.js';
import type { Latency } from './latency.js';
import type { OpenQuery } from './open-queries.js';
import type { QueryVerdict, Verdict } from './verify.js';

export interface QueryTableProps {
  readonly queries: readonly OpenQuery[];
  readonly latency: Latency | null;
  readonly verdict: Verdict | null;
}

/** Every query on the screen: its plan and its source, how it is kept, what it costs, and where it stands. */
export function QueryTable({ queries, latency, verdict }: QueryTableProps): ReactElement {
  const [shown, setShown] = useState<string | null>(null);
  return (
    <table className="queries">
      <caption className="hidden">Queries on the screen</caption>
      <thead>
        <tr>
          <th scope="col">Query</th>
          <th scope="col">Gear</th>
          <th scope="col" className="number">
            Rows
          </th>
          <th scope="col" className="wide-only">
            Position
          </th>
          <th scope="col" className="number ms" title="From commit to paint">
            ms
          </th>
          <th scope="col">Verified</th>
        </tr>
      </thead>
      <tbody>
        {queries.map((query) => (
          <Fragment key={query.key}>
            <tr data-query={query.name}>
              <th scope="row">
                <button
                  type="button"
                  className="query-name"
                  aria-expanded={shown === query.key}
                  onClick={() => setShown(shown === query.key ? null : query.key)}
                >
                  <Icon name={shown === query.key ? 'up' : 'down'} />
                  <span className="ellipsis">
                    {query.name}
                    <span className="query-args">{query.args}</span>
                  </span>
                </button>
              </th>
              <td>
                <span className="badge" data-gear={query.gear} title={query.reason ?? undefined}>
                  {query.gear === 'rerun' ? 're-run' : (query.gear ?? '…')}
                </span>
              </td>
              <td className="number">{formatCount(query.rows)}</td>
              <td className="wide-only mono">{query.lsn}</td>
              <td className="number ms">
                <span className={query.status === 'error' ? 'failed' : ''} title={query.error ?? undefined}>
                  {query.status === 'current' ? (latency?.ofQuery.get(query.key) ?? '–') : query.status}
                </span>
              </td>
              <td>
                <Tick verdict={verdict?.queries.get(query.key)} />
              </td>
            </tr>
            {shown === query.key && (
              <tr>
                <td colSpan={6} className="source">
                  {query.error !== null && <p className="failed">{query.error}</p>}
                  <div className="about">
                    <Explain key={query.key} of={query.ref} name={query.name} />
                    <section aria-label={`Source of ${query.name}`}>
                      <pre tabIndex={0} aria-label={`Source of ${query.name}`}>
                        {sources[query.name]}
                      </pre>
                    </section>
                  </div>
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function Tick({ verdict }: { verdict: QueryVerdict | undefined }): ReactElement | null {
  if (verdict === undefined) return null;
  const { isEqual, held, answered, hash } = verdict;
  return (
    <span className="tick" data-equal={isEqual}>
      <Icon name={isEqual ? 'check' : 'close'} />
      {isEqual ? (
        <>
          <span className="tick-text">
            equal, {formatCount(held)} {held === 1 ? 'row' : 'rows'},
          </span>
          <code title={hash}>{hash.slice(0, 8)}</code>
        </>
      ) : (
        <>
          different: {formatCount(held)} here, {formatCount(answered)} in Postgres
        </>
      )}
    </span>
  );
}
