import { useState, type ReactElement } from 'react';
import type { SqlAnswer } from '../../shared/demo-api.js';
import { formatCount } from '../format.js';
import { request } from './request.js';

const FIRST = `UPDATE issue SET status = 'in_review', priority = 1
WHERE id IN (SELECT id FROM issue ORDER BY id DESC LIMIT 500)`;

/** Any SQL, on the demo's database, past the application. */
export function SqlBox(): ReactElement {
  const [sql, setSql] = useState(FIRST);
  const [isRunning, setRunning] = useState(false);
  const [answer, setAnswer] = useState<SqlAnswer | Error | null>(null);
  const run = async (): Promise<void> => {
    setRunning(true);
    const next = await request<SqlAnswer>('POST', '/demo/sql', { sql }).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    );
    setAnswer(next);
    setRunning(false);
  };
  return (
    <form
      className="sql-box"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isRunning) void run();
      }}
    >
      <label htmlFor="sql">SQL, past the application</label>
      <textarea
        id="sql"
        className="mono"
        rows={4}
        spellCheck={false}
        value={sql}
        onChange={({ target }) => setSql(target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
            event.currentTarget.form?.requestSubmit();
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <div className="sql-line">
        <button type="submit" className="button" disabled={isRunning || sql.trim() === ''}>
          Run
        </button>
        <output className={answer instanceof Error ? 'failed' : ''}>
          {answer instanceof Error
            ? answer.message
            : answer &&
              `${answer.command} ${formatCount(answer.rowCount)} in ${answer.tookMs} ms${answer.isOpen ? ', and rolled back: there was no COMMIT' : ''}`}
        </output>
      </div>
      {answer !== null && !(answer instanceof Error) && answer.columns.length > 0 && <Rows answer={answer} />}
    </form>
  );
}

function Rows({ answer: { columns, rows } }: { answer: SqlAnswer }): ReactElement {
  return (
    <div className="sql-rows" tabIndex={0} role="region" aria-label="Rows of the answer">
      <table>
        <thead>
          <tr>
            {columns.map((name, index) => (
              <th key={`${name}-${index}`} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((value, column) => (
                <td key={column}>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
