import type { ReactElement } from 'react';
import type { SluiceError } from '@sluice/client';

export interface TroubleProps {
  readonly error: SluiceError;
  readonly retry: () => void;
}

/** Why what is shown is not up to date, when that is not the connection's fault: a query that Postgres refuses. */
export function Trouble({ error, retry }: TroubleProps): ReactElement {
  return (
    <div className="trouble" role="alert">
      <p>
        {error.message} {error.detail !== undefined && <span className="count">{error.detail}</span>}
      </p>
      <button type="button" className="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
