import { memo, useEffect, useRef, type CSSProperties, type ReactElement } from 'react';
import { Avatar } from './avatar.js';
import { useDirectory } from './directory.js';
import { formatDay, formatMoment } from './format.js';
import { PriorityIcon, StatusIcon } from './icons.js';
import type { Property } from './issue-menus.js';
import type { IssueRow } from './live.js';
import { hrefOf, usePlace } from './place.js';
import { opensElsewhere } from './sidebar.js';

export interface RowProps {
  readonly issue: IssueRow;
  readonly isSelected: boolean;
  readonly showsProject: boolean;
  readonly style: CSSProperties;
  readonly open: (issue: IssueRow) => void;
  readonly change: (issue: IssueRow, property: Property, anchor: Element) => void;
}

/** A line of the list. It is drawn again only when its row is another object: rows keep their identity. */
export const Row = memo(function Row(props: RowProps): ReactElement {
  const { issue, isSelected, showsProject, style, open, change } = props;
  const directory = useDirectory();
  const place = usePlace();
  const line = useFlash(issue);
  const project = directory.project(issue.projectId);
  const date = place.order === 'updated' ? issue.updatedAt : issue.createdAt;
  return (
    <li ref={line} className="row" style={style} data-id={issue.id} data-selected={isSelected || undefined}>
      <button
        type="button"
        className="row-button"
        tabIndex={-1}
        aria-label="Change status"
        onClick={(event) => change(issue, 'status', event.currentTarget)}
      >
        <StatusIcon status={issue.status} />
      </button>
      <a
        href={hrefOf({ ...place, issueId: issue.id })}
        tabIndex={isSelected ? 0 : -1}
        onClick={(event) => {
          if (opensElsewhere(event)) return;
          event.preventDefault();
          open(issue);
        }}
      >
        <PriorityIcon priority={issue.priority} />
        <span className="row-name">{nameOf(issue, directory.team(issue.teamId)?.key)}</span>
        <span className="row-title">{issue.title}</span>
      </a>
      <span className="row-labels">
        {issue.labelIds.map((id) => (
          <LabelTag key={id} id={id} />
        ))}
        {showsProject && project && (
          <span className="tag row-project">
            <span className="project-mark" style={{ background: project.color }} aria-hidden />
            {project.name}
          </span>
        )}
      </span>
      <time className="row-date" dateTime={date.toISOString()} title={formatMoment(date)}>
        {formatDay(date)}
      </time>
      <button
        type="button"
        className="row-button"
        tabIndex={-1}
        aria-label="Change assignee"
        onClick={(event) => change(issue, 'assignee', event.currentTarget)}
      >
        <Avatar member={directory.member(issue.assigneeId)} />
      </button>
    </li>
  );
});

export function LabelTag({ id }: { id: number }): ReactElement | null {
  const label = useDirectory().label(id);
  if (label === undefined) return null;
  return (
    <span className="tag">
      <span className="dot" style={{ background: label.color }} aria-hidden />
      {label.name}
    </span>
  );
}

/** `WEB-12` */
export function nameOf(issue: { readonly number: number }, teamKey: string | undefined): string {
  return `${teamKey ?? '…'}-${issue.number}`;
}

/** Lights the line up when its row has changed, not when it comes into view. */
function useFlash(issue: IssueRow): React.RefObject<HTMLLIElement | null> {
  const line = useRef<HTMLLIElement>(null);
  const shown = useRef(issue);
  useEffect(() => {
    const before = shown.current;
    shown.current = issue;
    if (before === issue || before.id !== issue.id) return;
    const element = line.current;
    // One that is lit up already is not lit up again: under load that would be all the time.
    if (element === null || element.getAnimations().length > 0) return;
    if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    element.animate([{ backgroundColor: 'var(--flash)' }, { backgroundColor: 'transparent' }], {
      duration: 700,
      easing: 'ease-out',
    });
  }, [issue]);
  return line;
}
