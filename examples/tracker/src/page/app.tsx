import { memo, useCallback, useMemo, useRef, useState, type ReactElement } from 'react';
import { useClientStatus, useLiveInfiniteQuery, useLiveQuery } from '@sluice/react';
import { commandsOf, type Command } from './commands.js';
import { DirectoryContext, useDirectory, useLiveDirectory } from './directory.js';
import { Dock } from './dock/dock.js';
import { formatCount } from './format.js';
import { Help } from './help.js';
import { Icon } from './icons.js';
import { IssueDetail } from './issue-detail.js';
import { IssueList } from './issue-list.js';
import { useChord, useKeys } from './keyboard.js';
import { queries } from './live.js';
import { NewIssue } from './new-issue.js';
import { Palette } from './palette.js';
import { usePlace, type Place } from './place.js';
import { Sidebar } from './sidebar.js';
import type { Subject } from './subject.js';
import { useTheme } from './theme.js';
import { Trouble } from './trouble.js';
import { Fields, StatusChips } from './toolbar.js';
import { COMPACT, useMedia } from './use-media.js';
import { useNotice } from './write.js';

const PAGE_ROWS = 100;

// The list changes with every move of the database, these do not.
const Side = memo(Sidebar);
const Filters = memo(Fields);
const Detail = memo(IssueDetail);
const Bottom = memo(Dock);

/**
 * A query that was refused from its start is not asked again by itself: the screen is drawn anew when somebody wants
 * to try. What was right is still there, and costs nothing: it is kept for a moment.
 */
export function App(): ReactElement {
  const [attempt, setAttempt] = useState(0);
  const [hasDock, setDock] = useState(false);
  const retry = useCallback(() => setAttempt((before) => before + 1), []);
  const toggleDock = useCallback(() => setDock((isOpen) => !isOpen), []);
  return <Screen key={attempt} retry={retry} hasDock={hasDock} toggleDock={toggleDock} />;
}

interface ScreenProps {
  readonly retry: () => void;
  readonly hasDock: boolean;
  readonly toggleDock: () => void;
}

type Opened = 'sidebar' | 'help' | 'new' | { readonly commands: readonly Command[] };

function Screen({ retry, hasDock, toggleDock }: ScreenProps): ReactElement {
  const [directory, directoryError] = useLiveDirectory();
  const place = usePlace();
  const search = useRef<HTMLInputElement>(null);
  const isCompact = useMedia(COMPACT);
  const [theme, toggleTheme] = useTheme();
  const [open, setOpen] = useState<Opened | null>(null);
  const subject = useRef<Subject | null>(null);
  const close = useCallback(() => setOpen(null), []);
  const isLoaded = directory.projects.length > 0;
  const create = (): void => {
    if (isLoaded) setOpen('new');
  };
  const showCommands = (): void => {
    const ofPage: readonly Command[] = [
      { group: 'Issue', text: 'New issue', icon: <Icon name="plus" />, run: create },
      { group: 'Issues', text: 'Search titles', icon: <Icon name="search" />, run: focusSearch },
      { group: 'Page', text: 'Light or dark', icon: <Icon name="moon" />, run: toggleTheme },
      { group: 'Page', text: 'Open or close the dock', icon: <Icon name="bolt" />, run: toggleDock },
      { group: 'Page', text: 'Keyboard help', icon: <Icon name="help" />, run: () => setOpen('help') },
    ];
    setOpen({ commands: commandsOf(directory, subject.current, ofPage) });
  };
  // After the palette: what is closed gives the focus back first.
  const focusSearch = (): void => void setTimeout(() => search.current?.focus());
  useChord('k', showCommands);
  useKeys({
    c: create,
    '/': () => search.current?.focus(),
    '?': () => setOpen('help'),
    t: toggleTheme,
    d: toggleDock,
    ...(open === 'sidebar' ? { Escape: close } : {}),
  });
  const { list, counts, countsError } = useIssues(place);
  const error = list.error ?? countsError ?? directoryError;

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
              aria-label="New issue"
              title="New issue (c)"
              onClick={create}
            >
              <Icon name="plus" />
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label="Commands"
              title="Commands (⌘K, Ctrl-K)"
              onClick={showCommands}
            >
              <Icon name="command" />
            </button>
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
          {error && <Trouble error={error} retry={retry} />}
          <div className={`panes${place.issueId === null ? '' : ' has-detail'}`}>
            <IssueList list={list} subject={subject} />
            {place.issueId !== null && <Detail id={place.issueId} subject={subject} retry={retry} />}
          </div>
        </main>
        <Bottom isOpen={hasDock} toggle={toggleDock} />
        <NoticeLine />
        {open === 'help' && <Help close={close} />}
        {open === 'new' && <NewIssue close={close} />}
        {typeof open === 'object' && open !== null && <Palette commands={open.commands} close={close} />}
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
  return { list, counts, countsError: byStatus.error };
}

function Title({ place, total }: { place: Place; total: number | null }): ReactElement {
  const { project, projects } = useDirectory();
  const name =
    place.projectId !== null
      ? (project(place.projectId)?.name ?? (projects.length === 0 ? '…' : 'No such project'))
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
