import type { ReactElement } from 'react';
import { PRIORITY_NAMES, STATUS_NAMES, type Status } from '../shared/vocabulary.js';

/** How much of the ring's pie is full. */
const PROGRESS: Readonly<Partial<Record<Status, number>>> = { todo: 0, in_progress: 0.5, in_review: 0.78 };

/** A ring that fills as the issue proceeds; its name is for those who hear the page. */
export function StatusIcon({ status, label = true }: { status: Status; label?: boolean }): ReactElement {
  const named = label ? { role: 'img', 'aria-label': STATUS_NAMES[status] } : { 'aria-hidden': true };
  return (
    <svg className={`status-icon status-${status}`} width="14" height="14" viewBox="0 0 14 14" {...named}>
      {status === 'backlog' ? (
        <circle
          cx="7"
          cy="7"
          r="6"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          strokeDasharray="1.6 2.17"
        />
      ) : status === 'done' || status === 'canceled' ? (
        <>
          <circle cx="7" cy="7" r="7" fill="currentColor" />
          <path
            d={status === 'done' ? 'M4 7.2l2.1 2.1L10.1 5' : 'M4.8 4.8l4.4 4.4M9.2 4.8L4.8 9.2'}
            fill="none"
            stroke="var(--surface)"
            strokeWidth="1.5"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </>
      ) : (
        <>
          <circle cx="7" cy="7" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.5" />
          <circle
            cx="7"
            cy="7"
            r="1.9"
            fill="none"
            stroke="currentColor"
            strokeWidth="3.8"
            strokeDasharray={`${(PROGRESS[status] ?? 0) * 11.94} 100`}
            transform="rotate(-90 7 7)"
          />
        </>
      )}
    </svg>
  );
}

/** Three bars, as many full as it is pressing; a square for urgent. */
export function PriorityIcon({
  priority,
  label = true,
}: {
  priority: number;
  label?: boolean;
}): ReactElement {
  const named = label
    ? { role: 'img', 'aria-label': PRIORITY_NAMES[priority] ?? '' }
    : { 'aria-hidden': true };
  return (
    <svg
      className={`priority-icon priority-${priority}`}
      width="14"
      height="14"
      viewBox="0 0 14 14"
      {...named}
    >
      {priority === 1 ? (
        <>
          <rect x="0.5" y="0.5" width="13" height="13" rx="3" fill="currentColor" />
          <path d="M7 3.4v4.4M7 10.3v.1" stroke="var(--surface)" strokeWidth="1.8" strokeLinecap="round" />
        </>
      ) : priority === 0 ? (
        [1, 5.5, 10].map((x) => (
          <rect key={x} x={x} y="6.2" width="3" height="1.6" rx="0.8" fill="currentColor" />
        ))
      ) : (
        [4, 7, 10].map((height, index) => (
          <rect
            key={height}
            x={1 + index * 4.5}
            y={12 - height}
            width="3"
            height={height}
            rx="1"
            fill="currentColor"
            opacity={index <= 4 - priority ? 1 : 0.3}
          />
        ))
      )}
    </svg>
  );
}

const PATHS = {
  plus: 'M8 3v10M3 8h10',
  command:
    'M6 6h4v4H6zM6 6H4.2A1.8 1.8 0 1 1 6 4.2zM10 6V4.2A1.8 1.8 0 1 1 11.8 6zM10 10h1.8a1.8 1.8 0 1 1-1.8 1.8zM6 10v1.8A1.8 1.8 0 1 1 4.2 10z',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  close: 'M4 4l8 8M12 4l-8 8',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7L14 14',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7',
  moon: 'M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z',
  help: 'M6 6a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.7v.1',
  up: 'M3.5 10L8 5.5l4.5 4.5',
  down: 'M3.5 6L8 10.5 12.5 6',
  check: 'M3 8.5l3.2 3.2L13 4.8',
  list: 'M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.1M2.5 8h.1M2.5 12h.1',
  bolt: 'M9 1.8L3.5 9H7.5L7 14.2 12.5 7H8.5z',
  sort: 'M4.5 3v10M4.5 13L2 10.5M4.5 13L7 10.5M9 4h5M9 8h4M9 12h3',
  user: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8zM2.8 13.8a5.2 5.2 0 0 1 10.4 0',
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }): ReactElement {
  return (
    <svg className="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden>
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
