import { useEffect, useState, type ReactElement, type RefObject } from 'react';
import { ORDER_NAMES, ORDERS, STATUS_NAMES, STATUSES, type Status } from '../shared/vocabulary.js';
import { useDirectory } from './directory.js';
import { formatCount, formatRough } from './format.js';
import { Icon, StatusIcon } from './icons.js';
import { go, usePlace } from './place.js';
import { NARROW, useMedia } from './use-media.js';

/** Typing asks the server this long after the last letter. */
const TYPING_MS = 120;

export interface StatusChipsProps {
  /** How many issues are in each status, whatever statuses are chosen; null while that is not known. */
  readonly counts: ReadonlyMap<Status, number> | null;
}

/** The statuses with their counts: each narrows the list. */
export function StatusChips({ counts }: StatusChipsProps): ReactElement {
  const { statuses } = usePlace();
  const format = useMedia(NARROW) ? formatRough : formatCount;
  return (
    <div className="statuses" role="group" aria-label="Status">
      {STATUSES.map((status) => (
        <button
          key={status}
          type="button"
          className="chip"
          title={STATUS_NAMES[status]}
          aria-pressed={statuses.includes(status)}
          onClick={() => go({ statuses: toggled(statuses, status) })}
        >
          <StatusIcon status={status} label={false} />
          <span className="chip-text">{STATUS_NAMES[status]}</span>
          <span className="count">{counts ? format(counts.get(status) ?? 0) : '–'}</span>
        </button>
      ))}
    </div>
  );
}

export interface FieldsProps {
  readonly search: RefObject<HTMLInputElement | null>;
}

/** What else narrows the list, and its order. */
export function Fields({ search }: FieldsProps): ReactElement {
  const { members } = useDirectory();
  const place = usePlace();
  return (
    <div className="fields" role="search" aria-label="Issues">
      <SearchField search={search} />
      <label className="select">
        <Icon name="user" />
        <span className="hidden">Assignee</span>
        <select
          value={place.assigneeId ?? ''}
          onChange={({ target }) => go({ assigneeId: target.value === '' ? null : Number(target.value) })}
        >
          <option value="">Anybody</option>
          <option value="0">Nobody</option>
          {members.map((member) => (
            <option key={member.id} value={member.id}>
              {member.name}
            </option>
          ))}
        </select>
      </label>
      <label className="select">
        <Icon name="sort" />
        <span className="hidden">Order</span>
        <select
          value={place.order}
          onChange={({ target }) =>
            go({ order: ORDERS.find((order) => order === target.value) ?? 'created' })
          }
        >
          {ORDERS.map((order) => (
            <option key={order} value={order}>
              {ORDER_NAMES[order]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function SearchField({ search }: { search: RefObject<HTMLInputElement | null> }): ReactElement {
  const { text } = usePlace();
  const [typed, setTyped] = useState(text);
  const [asked, setAsked] = useState(text);
  // The address changed by itself: the back button, another project.
  if (text !== asked) {
    setAsked(text);
    setTyped(text);
  }
  useEffect(() => {
    if (typed === asked) return undefined;
    const timer = setTimeout(() => {
      setAsked(typed);
      go({ text: typed }, 'replace');
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, asked]);
  return (
    <label className="search">
      <Icon name="search" />
      <span className="hidden">Search titles</span>
      <input
        ref={search}
        type="search"
        placeholder="Search titles"
        maxLength={200}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden>/</kbd>
    </label>
  );
}

function toggled(statuses: readonly Status[], status: Status): readonly Status[] {
  return statuses.includes(status) ? statuses.filter((one) => one !== status) : [...statuses, status];
}
