import type { ReactNode } from 'react';
import { PRIORITY_NAMES, STATUS_NAMES, STATUSES } from '../shared/vocabulary.js';
import { Avatar } from './avatar.js';
import type { Directory } from './directory.js';
import { Icon, PriorityIcon, StatusIcon } from './icons.js';
import { currentPlace, EVERYTHING, go } from './place.js';
import type { Subject } from './subject.js';
import { changeIssue } from './write.js';

/** Something that can be done from the palette. */
export interface Command {
  /** What it is about; found by typing, as its text is. */
  readonly group: string;
  readonly text: string;
  readonly icon: ReactNode;
  readonly run: () => void;
}

/** Everything that can be done now: with the issue, then where to go, then what to leave out. */
export function commandsOf(
  { projects, members, team }: Directory,
  subject: Subject | null,
  ofPage: readonly Command[],
): readonly Command[] {
  const people = members.map((member) => ({
    id: member.id,
    name: member.name,
    icon: <Avatar member={member} label={false} />,
  }));
  const nobody = { id: 0, name: 'Nobody', icon: <Avatar member={undefined} label={false} /> };
  const leave = (projectId: number | null, assigneeId: number | null): void =>
    go({ ...EVERYTHING, order: currentPlace().order, projectId, assigneeId });
  return [
    ...(subject ? commandsFor(subject, [nobody, ...people]) : []),
    ...ofPage,
    { group: 'Go to', text: 'All issues', icon: <Icon name="list" />, run: () => leave(null, null) },
    { group: 'Go to', text: 'My issues', icon: <Icon name="user" />, run: () => leave(null, 1) },
    ...projects.map((project) => ({
      group: `Go to ${team(project.teamId)?.name ?? ''}`,
      text: project.name,
      icon: <span className="project-mark" style={{ background: project.color }} aria-hidden />,
      run: () => leave(project.id, null),
    })),
    {
      group: 'Filter',
      text: 'Clear the filters',
      icon: <Icon name="close" />,
      run: () => leave(currentPlace().projectId, null),
    },
    ...STATUSES.map((status) => ({
      group: 'Filter by status',
      text: STATUS_NAMES[status],
      icon: <StatusIcon status={status} label={false} />,
      run: () => go({ statuses: [status] }),
    })),
    ...[nobody, ...people].map(({ id, name, icon }) => ({
      group: 'Filter by assignee',
      text: name,
      icon,
      run: () => go({ assigneeId: id }),
    })),
  ];
}

interface Person {
  /** 0: nobody. */
  readonly id: number;
  readonly name: string;
  readonly icon: ReactNode;
}

function commandsFor({ issue, name }: Subject, people: readonly Person[]): readonly Command[] {
  return [
    ...STATUSES.filter((status) => status !== issue.status).map((status) => ({
      group: `${name}: set status`,
      text: STATUS_NAMES[status],
      icon: <StatusIcon status={status} label={false} />,
      run: () => void changeIssue(issue.id, { status }, `${name} → ${STATUS_NAMES[status]}`),
    })),
    ...PRIORITY_NAMES.map((text, priority) => ({
      group: `${name}: set priority`,
      text,
      icon: <PriorityIcon priority={priority} label={false} />,
      run: () => void changeIssue(issue.id, { priority }, `${name} → ${text}`),
    })).filter((_, priority) => priority !== issue.priority),
    ...people.map((person) => ({
      group: `${name}: assign to`,
      text: person.name,
      icon: person.icon,
      run: () =>
        void changeIssue(
          issue.id,
          { assigneeId: person.id === 0 ? null : person.id },
          `${name} → ${person.name}`,
        ),
    })),
  ];
}
