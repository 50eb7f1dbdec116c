import { memo, useCallback, useMemo, useRef, useState, type ReactElement } from 'react';
import { useClientStatus, useLiveInfiniteQuery, useLiveQuery } from '@sluice/react';
import { DirectoryContext, useDirectory, useLiveDirectory } from './directory.js';
import { Dock } from './dock/dock.js';
import { formatCount } from './format.js';
import { Help } from './help.js';
import { Icon } from './icons.js';
import { IssueDetail } from './issue-detail.js';
import { IssueList } from './issue-list.js';
import { useKeys } from './keyboard.js';
import { queries } from './live.js';
import { usePlace, type Place } from './place.js';
import { Sidebar } from './sidebar.js';
import { useTheme } from './theme.js';
import { Fields, StatusChips } from './toolbar.js';
import { COMPACT, useMedia } from './use-media.js';
import { useNotice } from './write.js';

const PAGE_ROWS = 100;

// The list changes with every move of the database, these do not.
const Side = memo(Sidebar);
const Filters = memo(Fields);
const Detail = memo(IssueDetail);
const Bottom = memo(Dock);

export function App(): ReactElement {
  const directory = useLiveDirectory();
  const place = usePlace();
  const search = useRef<HTMLInputElement>(null);
  const isCompact = useMedia(COMPACT);
  const [theme, toggleTheme] = useTheme();
  const [open, setOpen] = useState<'sidebar' | 'help' | null>(null);
  const [hasDock, setDock] = useState(false);
  const close = useCallback(() => setOpen(null), []);
  const toggleDock = useCallback(() => setDock((isOpen) => !isOpen), []);
  useKeys({
    '/': () => search.current?.focus(),
    '?': () => setOpen('help'),
    t: toggleTheme,
    d: toggleDock,
    ...(open === 'sidebar' ? { Escape: close } : {}),
  });
  const { list, counts } = useIssues(place);

  return (
    <DirectoryContext value={directory}>
      <div className="app">
        <Side isOpen={open === 'sidebar'} close={close} />
        <main>
          <header className="top">
            <button
              type="button"
              className="icon-button menu-button"
              aria-label="Projects"
              aria-expanded={open === 'sidebar'}
              aria-controls="sidebar"
              onClick={() => setOpen(open === 'sidebar' ? null : 'sidebar')}
            >
              <Icon name="menu" />
            </button>
            <Title place={place} total={list.total} />
            {!isCompact && <Filters search={search} />}
            <Connection />
            <button
              type="button"
              className="icon-button"
              aria-label={theme === 'dark' ? 'Light theme' : 'Dark theme'}
              onClick={toggleTheme}
            >
              <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label="Keyboard help"
              onClick={() => setOpen('help')}
            >
              <Icon name="help" />
            </button>
          </header>
          <div className="toolbar">
            <StatusChips counts={counts} />
            {isCompact && <Filters search={search} />}
          </div>
          <div className={`panes${place.issueId === null ? '' : ' has-detail'}`}>
            <IssueList list={list} />
            {place.issueId !== null && <Detail id={place.issueId} />}
          </div>
        </main>
        <Bottom isOpen={hasDock} toggle={toggleDock} />
        <NoticeLine />
        {open === 'help' && <Help close={close} />}
      </div>
    </DirectoryContext>
  );
}

/** The list, its length, and the counts beside it: several queries, and always of one moment. */
function useIssues(place: Place) {
  const { projectId, assigneeId, text, statuses, order } = place;
  const filter = useMemo(
    () => ({
      ...(projectId === null ? {} : { projectId }),
      ...(assigneeId === null ? {} : { assigneeId }),
      ...(text === '' ? {} : { text }),
    }),
    [projectId, assigneeId, text],
  );
  const narrowed = statuses.length === 0 ? filter : { ...filter, statuses: [...statuses] };
  const list = useLiveInfiniteQuery((limit) => queries.issues({ ...narrowed, order, limit }), {
    pageSize: PAGE_ROWS,
    total: queries.issueTotal(narrowed),
  });
  const byStatus = useLiveQuery(queries.issuesByStatus(filter));
  const counts = useMemo(
    () =>
      byStatus.status === 'loading'
        ? null
        : new Map(byStatus.rows.map(({ status, total }) => [status, total])),
    [byStatus],
  );
  return { list, counts };
}

function Title({ place, total }: { place: Place; total: number | null }): ReactElement {
  const { project } = useDirectory();
  const name =
    place.projectId !== null
      ? (project(place.projectId)?.name ?? '…')
      : place.assigneeId === 1
        ? 'My issues'
        : 'All issues';
  return (
    <h1>
      <span className="ellipsis">{name}</span>
      <span className="count" data-testid="total">
        {total === null ? '…' : formatCount(total)}
      </span>
    </h1>
  );
}

const CONNECTION = {
  online: 'Live',
  connecting: 'Connecting …',
  offline: 'Reconnecting …',
  failed: 'Disconnected',
  closed: 'Disconnected',
} as const;

/** What the rows on the screen are worth: current, or of the moment when the connection was lost. */
function Connection(): ReactElement {
  const status = useClientStatus();
  return (
    <span className="connection" data-status={status} role="status">
      <span className="dot" aria-hidden /> <span className="connection-text">{CONNECTION[status]}</span>
    </span>
  );
}

function NoticeLine(): ReactElement {
  const notice = useNotice();
  return (
    <div className="toast" data-kind={notice?.kind} role="status" aria-live="polite">
      {notice?.text}
    </div>
  );
}
