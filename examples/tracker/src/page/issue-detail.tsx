import {
  useEffect,
  useRef,
  useState,
  type FormEvent,
  type ReactElement,
  type ReactNode,
  type RefObject,
} from 'react';
import { useLiveOne } from '@sluice/react';
import { PRIORITY_NAMES, STATUS_NAMES } from '../shared/vocabulary.js';
import { Avatar } from './avatar.js';
import { useDirectory } from './directory.js';
import { formatAgo, formatMoment } from './format.js';
import { Icon, PriorityIcon, StatusIcon } from './icons.js';
import { menuKeys, useIssueMenus, type Property } from './issue-menus.js';
import { LabelTag, nameOf } from './issue-row.js';
import { useKeys } from './keyboard.js';
import { queries, type IssueDetail as Issue } from './live.js';
import { go } from './place.js';
import { useSubject, type Subject } from './subject.js';
import { Trouble } from './trouble.js';
import { addComment } from './write.js';

export interface IssueDetailProps {
  readonly id: number;
  readonly subject: RefObject<Subject | null>;
  readonly retry: () => void;
}

/** One issue with its comments, beside the list. */
export function IssueDetail({ id, subject, retry }: IssueDetailProps): ReactElement {
  const { status, row: issue, error } = useLiveOne(queries.issue({ id }));
  const { team } = useDirectory();
  const close = (): void => go({ issueId: null });
  useKeys({ Escape: close });
  return (
    <article className="detail" aria-label="Issue" data-status={status}>
      <header>
        <span className="row-name">{issue ? nameOf(issue, team(issue.teamId)?.key) : ''}</span>
        <button type="button" className="icon-button" aria-label="Close the issue" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {issue && error && <Trouble error={error} retry={retry} />}
      {issue ? (
        <Body issue={issue} subject={subject} />
      ) : status === 'error' ? (
        <Trouble error={error} retry={retry} />
      ) : status === 'loading' || status === 'switching' ? (
        <p className="detail-none" role="status">
          Loading …
        </p>
      ) : (
        <p className="detail-none">There is no such issue. It may have been deleted just now.</p>
      )}
    </article>
  );
}

function Body({ issue, subject }: { issue: Issue; subject: RefObject<Subject | null> }): ReactElement {
  const directory = useDirectory();
  const { open, menu } = useIssueMenus();
  const fields = useRef<HTMLDListElement>(null);
  const name = nameOf(issue, directory.team(issue.teamId)?.key);
  useSubject(subject, issue, name);
  const change = (property: Property): void => {
    const anchor = fields.current?.querySelector(`[data-property=${property}]`);
    if (anchor) open({ property, issue, name, anchor });
  };
  useKeys(menuKeys(change));
  const project = directory.project(issue.projectId);
  const assignee = directory.member(issue.assigneeId);
  return (
    <div className="detail-body">
      <h2>{issue.title}</h2>
      <dl ref={fields} className="fields-of-issue">
        <Field name="Status" property="status" change={change}>
          <StatusIcon status={issue.status} label={false} /> {STATUS_NAMES[issue.status]}
        </Field>
        <Field name="Priority" property="priority" change={change}>
          <PriorityIcon priority={issue.priority} label={false} /> {PRIORITY_NAMES[issue.priority]}
        </Field>
        <Field name="Assignee" property="assignee" change={change}>
          <Avatar member={assignee} label={false} /> {assignee?.name ?? 'Nobody'}
        </Field>
        <Field name="Project">
          <span className="project-mark" style={{ background: project?.color }} aria-hidden /> {project?.name}
        </Field>
        <Field name="Labels" property="labels" change={change}>
          {issue.labelIds.length === 0 && <span className="count">Add …</span>}
          {issue.labelIds.map((id) => (
            <LabelTag key={id} id={id} />
          ))}
        </Field>
      </dl>
      <p className="description">{issue.description}</p>
      <p className="byline">
        {issue.creator.name} wrote this <Ago date={issue.createdAt} />, changed <Ago date={issue.updatedAt} />
      </p>
      <section aria-label="Comments" className="comments">
        <h3>
          Comments <span className="count">{issue.comments.length}</span>
        </h3>
        <ol>
          {issue.comments.map((comment) => (
            <li key={comment.id}>
              <Avatar member={comment.author} label={false} />
              <div>
                <p className="comment-head">
                  <strong>{comment.author.name}</strong> <Ago date={comment.createdAt} />
                </p>
                <p>{comment.body}</p>
              </div>
            </li>
          ))}
        </ol>
        <NewComment key={issue.id} issueId={issue.id} />
      </section>
      {menu}
    </div>
  );
}

interface FieldProps {
  readonly name: string;
  readonly property?: Property;
  readonly change?: (property: Property) => void;
  readonly children: ReactNode;
}

function Field({ name, property, change, children }: FieldProps): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {property && change ? (
          <button
            type="button"
            data-property={property}
            aria-haspopup="menu"
            onClick={() => change(property)}
          >
            {children}
          </button>
        ) : (
          <span className="field-value">{children}</span>
        )}
      </dd>
    </div>
  );
}

function NewComment({ issueId }: { issueId: number }): ReactElement {
  const [body, setBody] = useState('');
  const [isSending, setSending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (body.trim() === '' || isSending) return;
    setSending(true);
    if (await addComment(issueId, body.trim())) setBody('');
    setSending(false);
  };
  return (
    <form ref={form} onSubmit={(event) => void send(event)}>
      <textarea
        aria-label="New comment"
        placeholder="Leave a comment …"
        rows={2}
        value={body}
        onChange={({ target }) => setBody(target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <button type="submit" className="button" disabled={body.trim() === '' || isSending}>
        Comment
      </button>
    </form>
  );
}

const AGO_MS = 30_000;

/** `3 days ago`, and it grows older. */
function Ago({ date }: { date: Date }): ReactElement {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), AGO_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={date.toISOString()} title={formatMoment(date)}>
      {formatAgo(date, Math.max(nowMs, Date.now()))}
    </time>
  );
}
