import { useState, type ReactElement } from 'react';
import { PRIORITY_NAMES, STATUS_NAMES, STATUSES, type Status } from '../shared/vocabulary.js';
import { Avatar } from './avatar.js';
import { useDirectory } from './directory.js';
import { PriorityIcon, StatusIcon } from './icons.js';
import type { Keys } from './keyboard.js';
import { Menu } from './menu.js';
import { changeIssue } from './write.js';

/** What of an issue the menus change. */
export interface Changeable {
  readonly id: number;
  readonly status: Status;
  readonly priority: number;
  readonly assigneeId: number | null;
  readonly labelIds: readonly number[];
}

export type Property = 'status' | 'priority' | 'assignee' | 'labels';

interface Opened {
  readonly property: Property;
  readonly issue: Changeable;
  /** `WEB-12`, for the line that tells what became of it. */
  readonly name: string;
  readonly anchor: Element;
}

export interface IssueMenus {
  readonly open: (opened: Opened) => void;
  /** The open one, to be rendered; or null. */
  readonly menu: ReactElement | null;
}

/** The menus by which an issue is changed: one open at a time. */
export function useIssueMenus(): IssueMenus {
  const [opened, open] = useState<Opened | null>(null);
  return { open, menu: opened && <IssueMenu {...opened} close={() => open(null)} /> };
}

function IssueMenu(props: Opened & { close: () => void }): ReactElement {
  const { property, issue, name, anchor, close } = props;
  const { members, member } = useDirectory();
  const shared = { anchor, close };
  if (property === 'status') {
    return (
      <Menu
        {...shared}
        title="Status"
        isChosen={(status) => status === issue.status}
        items={STATUSES.map((status) => ({
          value: status,
          text: STATUS_NAMES[status],
          icon: <StatusIcon status={status} label={false} />,
        }))}
        choose={(status) => void changeIssue(issue.id, { status }, `${name} → ${STATUS_NAMES[status]}`)}
      />
    );
  }
  if (property === 'priority') {
    return (
      <Menu
        {...shared}
        title="Priority"
        isChosen={(priority) => priority === issue.priority}
        items={PRIORITY_NAMES.map((text, priority) => ({
          value: priority,
          text,
          icon: <PriorityIcon priority={priority} label={false} />,
        }))}
        choose={(priority) =>
          void changeIssue(issue.id, { priority }, `${name} → ${PRIORITY_NAMES[priority] ?? ''}`)
        }
      />
    );
  }
  if (property === 'labels') return <LabelMenu {...props} />;
  return (
    <Menu
      {...shared}
      title="Assignee"
      isChosen={(assigneeId) => assigneeId === issue.assigneeId}
      items={[
        { value: null, text: 'Nobody', icon: <Avatar member={undefined} label={false} /> },
        ...members.map((one) => ({
          value: one.id,
          text: one.name,
          icon: <Avatar member={one} label={false} />,
        })),
      ]}
      choose={(assigneeId) =>
        void changeIssue(issue.id, { assigneeId }, `${name} → ${member(assigneeId)?.name ?? 'Nobody'}`)
      }
    />
  );
}

/** Any number of labels: one write, when the menu is closed. */
function LabelMenu({ issue, name, anchor, close }: Opened & { close: () => void }): ReactElement {
  const { labels } = useDirectory();
  const [ids, setIds] = useState<readonly number[]>(issue.labelIds);
  const done = (): void => {
    close();
    if (ids.join() !== issue.labelIds.join())
      void changeIssue(issue.id, { labelIds: ids }, `${name}: labels`);
  };
  return (
    <Menu
      title="Labels"
      anchor={anchor}
      several
      items={labels.map(({ id, name: text, color }) => ({
        value: id,
        text,
        icon: <span className="dot" style={{ background: color }} aria-hidden />,
      }))}
      isChosen={(id) => ids.includes(id)}
      choose={(id) => setIds(ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id])}
      close={done}
    />
  );
}

/** The keys that open them. */
export function menuKeys(open: (property: Property) => void): Keys {
  return {
    s: () => open('status'),
    p: () => open('priority'),
    a: () => open('assignee'),
    l: () => open('labels'),
  };
}
