import type { MouseEvent, ReactElement } from 'react';
import { useDirectory } from './directory.js';
import { Icon } from './icons.js';
import { EVERYTHING, go, hrefOf, usePlace } from './place.js';

export interface SidebarProps {
  readonly isOpen: boolean;
  readonly close: () => void;
}

/** Where one can go: everything, my issues, and the projects of each team. */
export function Sidebar({ isOpen, close }: SidebarProps): ReactElement {
  const { teams, projects } = useDirectory();
  return (
    <>
      {isOpen && <div className="scrim" onClick={close} aria-hidden />}
      <nav className={`sidebar${isOpen ? ' is-open' : ''}`} aria-label="Projects" id="sidebar">
        <div className="brand">
          <span className="brand-mark" aria-hidden>
            <Icon name="check" />
          </span>
          Tracker
        </div>
        <ul>
          <Entry projectId={null} assigneeId={null} close={close}>
            <Icon name="list" /> All issues
          </Entry>
          <Entry projectId={null} assigneeId={1} close={close}>
            <Icon name="user" /> My issues
          </Entry>
        </ul>
        {teams.map((team) => (
          <section key={team.id} aria-label={team.name}>
            <h2>
              <span className="team-mark" style={{ background: team.color }} aria-hidden />
              {team.name}
            </h2>
            <ul>
              {projects
                .filter(({ teamId }) => teamId === team.id)
                .map((project) => (
                  <Entry key={project.id} projectId={project.id} assigneeId={null} close={close}>
                    <span className="project-mark" style={{ background: project.color }} aria-hidden />
                    <span className="ellipsis">{project.name}</span>
                  </Entry>
                ))}
            </ul>
          </section>
        ))}
      </nav>
    </>
  );
}

interface EntryProps {
  readonly projectId: number | null;
  readonly assigneeId: number | null;
  readonly close: () => void;
  readonly children: React.ReactNode;
}

function Entry({ projectId, assigneeId, close, children }: EntryProps): ReactElement {
  const place = usePlace();
  const isHere = place.projectId === projectId && (projectId !== null || place.assigneeId === assigneeId);
  const target = { ...EVERYTHING, order: place.order, projectId, assigneeId };
  const clicked = (event: MouseEvent): void => {
    if (opensElsewhere(event)) return;
    event.preventDefault();
    go(target);
    close();
  };
  return (
    <li>
      <a href={hrefOf(target)} onClick={clicked} aria-current={isHere ? 'page' : undefined}>
        {children}
      </a>
    </li>
  );
}

/** A click that asks for a new tab or window is the browser's. */
export function opensElsewhere(event: MouseEvent): boolean {
  return event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0;
}
