import { useEffect, useId, useState, type FormEvent, type ReactElement, type ReactNode } from 'react';
import { PRIORITY_NAMES, STATUS_NAMES, STATUSES, type Status } from '../shared/vocabulary.js';
import { Dialog } from './dialog.js';
import { useDirectory } from './directory.js';
import { currentPlace, go } from './place.js';
import { createIssue, useNotice, type NewIssue as Draft } from './write.js';

/** What was typed and not sent: Escape does not lose it. */
let kept: Pick<Draft, 'title' | 'description'> = { title: '', description: '' };

/** A form for a new issue: where one is, it begins. It is opened when it is on the screen. */
export function NewIssue({ close }: { close: () => void }): ReactElement {
  const { teams, projects, members, labels } = useDirectory();
  const [draft, setDraft] = useState(() => draftHere(projects[0]?.id ?? 0));
  const [isSending, setSending] = useState(false);
  const notice = useNotice();
  const [hasFailed, setFailed] = useState(false);
  const id = useId();
  const set = (change: Partial<Draft>): void => setDraft((before) => ({ ...before, ...change }));
  useEffect(() => {
    kept = { title: draft.title, description: draft.description };
  }, [draft]);

  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isSending || draft.title.trim() === '') return;
    setSending(true);
    setFailed(false);
    const issueId = await createIssue(draft);
    setSending(false);
    setFailed(issueId === null);
    if (issueId === null) return;
    kept = { title: '', description: '' };
    close();
    go({ issueId });
  };
  return (
    <Dialog className="new-issue" labelledBy={`${id}-name`} close={close}>
      <form
        onSubmit={(event) => void send(event)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
        }}
      >
        <h2 id={`${id}-name`}>New issue</h2>
        <input
          className="new-title"
          aria-label="Title"
          placeholder="Title"
          maxLength={300}
          dir="auto"
          value={draft.title}
          onChange={({ target }) => set({ title: target.value })}
        />
        <textarea
          aria-label="Description"
          placeholder="Describe it …"
          rows={4}
          maxLength={10_000}
          dir="auto"
          value={draft.description}
          onChange={({ target }) => set({ description: target.value })}
        />
        <div className="new-fields">
          <Choice name="Project" value={draft.projectId} choose={(text) => set({ projectId: Number(text) })}>
            {teams.map((team) => (
              <optgroup key={team.id} label={team.name}>
                {projects
                  .filter(({ teamId }) => teamId === team.id)
                  .map((project) => (
                    <option key={project.id} value={project.id}>
                      {project.name}
                    </option>
                  ))}
              </optgroup>
            ))}
          </Choice>
          <Choice name="Status" value={draft.status} choose={(status) => set({ status: status as Status })}>
            {STATUSES.map((status) => (
              <option key={status} value={status}>
                {STATUS_NAMES[status]}
              </option>
            ))}
          </Choice>
          <Choice name="Priority" value={draft.priority} choose={(text) => set({ priority: Number(text) })}>
            {PRIORITY_NAMES.map((text, priority) => (
              <option key={text} value={priority}>
                {text}
              </option>
            ))}
          </Choice>
          <Choice
            name="Assignee"
            value={draft.assigneeId ?? ''}
            choose={(text) => set({ assigneeId: text === '' ? null : Number(text) })}
          >
            <option value="">Nobody</option>
            {members.map((member) => (
              <option key={member.id} value={member.id}>
                {member.name}
              </option>
            ))}
          </Choice>
        </div>
        <fieldset className="new-labels">
          <legend className="hidden">Labels</legend>
          {labels.map((label) => (
            <label key={label.id} className="tag">
              <input
                type="checkbox"
                className="hidden"
                checked={draft.labelIds.includes(label.id)}
                onChange={({ target }) => {
                  const others = draft.labelIds.filter((one) => one !== label.id);
                  set({ labelIds: target.checked ? [...others, label.id] : others });
                }}
              />
              <span className="dot" style={{ background: label.color }} aria-hidden />
              {label.name}
            </label>
          ))}
        </fieldset>
        <footer>
          <p className="failed" role="alert">
            {hasFailed && notice?.kind === 'failed' ? notice.text : ''}
          </p>
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={isSending || draft.title.trim() === ''}>
            {isSending ? 'Creating …' : 'Create'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** As the list is narrowed, so that the issue is in it. */
function draftHere(firstProject: number): Draft {
  const { projectId, statuses, assigneeId } = currentPlace();
  return {
    ...kept,
    projectId: projectId ?? firstProject,
    status: statuses[0] ?? 'todo',
    priority: 0,
    assigneeId: assigneeId === 0 ? null : assigneeId,
    labelIds: [],
  };
}

interface ChoiceProps {
  readonly name: string;
  readonly value: string | number;
  readonly choose: (value: string) => void;
  readonly children: ReactNode;
}

function Choice({ name, value, choose, children }: ChoiceProps): ReactElement {
  return (
    <label className="select">
      <span className="hidden">{name}</span>
      <select value={value} onChange={({ target }) => choose(target.value)}>
        {children}
      </select>
    </label>
  );
}
