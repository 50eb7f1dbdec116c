import { useCallback, useEffect, useMemo, useRef, useState, type ReactElement, type RefObject } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import type { LiveInfiniteResult } from '@sluice/react';
import { useDirectory } from './directory.js';
import { menuKeys, useIssueMenus, type Property } from './issue-menus.js';
import { nameOf, Row } from './issue-row.js';
import { useKeys } from './keyboard.js';
import type { IssueRow } from './live.js';
import { EVERYTHING, go, usePlace } from './place.js';
import { useSubject, type Subject } from './subject.js';
import { NARROW, useMedia } from './use-media.js';
import { useSteadyScroll } from './use-steady-scroll.js';

const ROW_PX = 40;
const NARROW_ROW_PX = 58;
/** How many rows before the end the next page is asked for. */
const AHEAD_ROWS = 30;

export interface IssueListProps {
  readonly list: LiveInfiniteResult<IssueRow>;
  readonly subject: RefObject<Subject | null>;
}

/** The issues of the place, as many of them as have been scrolled to. */
export function IssueList({ list, subject }: IssueListProps): ReactElement {
  const { rows, hasMore, loadMore, status } = list;
  const place = usePlace();
  const directory = useDirectory();
  const { open: openMenu, menu } = useIssueMenus();
  const scroller = useRef<HTMLDivElement>(null);
  const rowPx = useMedia(NARROW) ? NARROW_ROW_PX : ROW_PX;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
  });
  const { selectedId, select } = useSelection(rows, scroller, (index) => virtual.scrollToIndex(index));

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= rows.length - AHEAD_ROWS) loadMore();
  }, [hasMore, last, rows.length, loadMore]);
  useSteadyScroll(rows, rowPx, scroller, items);
  useEffect(() => virtual.measure(), [rowPx, virtual]);
  useEffect(() => {
    scroller.current?.scrollTo(0, 0);
  }, [place.projectId, place.statuses, place.assigneeId, place.text, place.order]);

  const open = useCallback(
    (issue: IssueRow) => {
      select(issue.id);
      go({ issueId: issue.id });
    },
    [select],
  );
  const change = useCallback(
    (issue: IssueRow, property: Property, anchor: Element) =>
      openMenu({ property, issue, name: nameOf(issue, directory.team(issue.teamId)?.key), anchor }),
    [openMenu, directory],
  );
  const selected = useMemo(() => rows.find(({ id }) => id === selectedId), [rows, selectedId]);
  const selectedName = selected ? nameOf(selected, directory.team(selected.teamId)?.key) : '';
  // An open issue notes itself.
  useSubject(subject, place.issueId === null ? selected : undefined, selectedName);
  const changeSelected = (property: Property): void => {
    const issue = selected;
    const anchor = scroller.current?.querySelector(`[data-id="${selectedId}"]`);
    if (issue && anchor) change(issue, property, anchor);
  };
  // An open issue has keys of its own.
  useKeys(place.issueId === null ? menuKeys(changeSelected) : {});

  if (status === 'error' && rows.length === 0) {
    return (
      <Notice title="The list cannot be shown" text="Postgres refuses its query, or nobody may read it." />
    );
  }
  if (status === 'loading') return <Skeleton rowPx={rowPx} />;
  if (rows.length === 0) return <Empty />;
  return (
    <div className="list" ref={scroller} data-status={status}>
      <ul aria-label="Issues" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const issue = rows[item.index];
          return (
            issue && (
              <Row
                key={item.key}
                issue={issue}
                isSelected={issue.id === selectedId}
                showsProject={place.projectId === null}
                style={{ transform: `translateY(${item.start}px)`, height: rowPx }}
                open={open}
                change={change}
              />
            )
          );
        })}
      </ul>
      {menu}
    </div>
  );
}

interface Selection {
  readonly selectedId: number | undefined;
  readonly select: (id: number) => void;
}

/** Which row the keys are about. It is the issue that is selected, wherever its row moves. */
function useSelection(
  rows: readonly IssueRow[],
  scroller: React.RefObject<HTMLDivElement | null>,
  scrollTo: (index: number) => void,
): Selection {
  const { issueId } = usePlace();
  const [chosenId, select] = useState<number | null>(issueId);
  const selectedId = rows.some(({ id }) => id === chosenId) ? (chosenId ?? undefined) : rows[0]?.id;
  const focusing = useRef(false);

  useEffect(() => {
    if (!focusing.current) return;
    const link = scroller.current?.querySelector<HTMLElement>(`[data-id="${selectedId}"] a`);
    if (!link) return; // not drawn yet: after the scrolling
    focusing.current = false;
    link.focus({ preventScroll: true });
  });

  const step = (by: number): void => {
    const from = rows.findIndex(({ id }) => id === selectedId);
    const isFocused = scroller.current?.contains(document.activeElement) === true;
    const to = Math.max(0, Math.min(rows.length - 1, isFocused || chosenId !== null ? from + by : 0));
    const row = rows[to];
    if (row === undefined) return;
    focusing.current = true;
    select(row.id);
    scrollTo(to);
    // The issue that is open follows: to read one after the other.
    if (issueId !== null) go({ issueId: row.id }, 'replace');
    else if (row.id === selectedId)
      scroller.current?.querySelector<HTMLElement>(`[data-id="${row.id}"] a`)?.focus({ preventScroll: true });
  };
  useKeys({
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    Enter: () => {
      if (selectedId !== undefined && issueId === null) go({ issueId: selectedId });
    },
  });
  return { selectedId, select };
}

function Empty(): ReactElement {
  const { order, ...place } = usePlace();
  const { project } = useDirectory();
  // A project that is gone is a filter too.
  const projectId = place.projectId !== null && project(place.projectId) ? place.projectId : null;
  return (
    <Notice title="No issues here" text="Nothing matches these filters.">
      <button type="button" className="button" onClick={() => go({ ...EVERYTHING, projectId, order })}>
        Clear the filters
      </button>
    </Notice>
  );
}

function Notice(props: { title: string; text: string; children?: React.ReactNode }): ReactElement {
  return (
    <div className="notice">
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.children}
    </div>
  );
}

/** Lines where the rows will be: nothing moves when they come. */
function Skeleton({ rowPx }: { rowPx: number }): ReactElement {
  return (
    <div className="list" aria-busy="true" aria-label="Loading issues" role="status">
      {Array.from({ length: 24 }, (_, index) => (
        <div key={index} className="skeleton" style={{ height: rowPx }} aria-hidden>
          <span className="bone bone-round" />
          <span className="bone" style={{ width: 60 }} />
          <span className="bone" style={{ width: `${28 + ((index * 37) % 34)}%` }} />
        </div>
      ))}
    </div>
  );
}
