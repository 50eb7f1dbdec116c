import { useEffect, type RefObject } from 'react';
import type { Changeable } from './issue-menus.js';

/** The issue that commands are about: the one that is open, else the one that is selected in the list. */
export interface Subject {
  readonly issue: Changeable;
  /** `WEB-12` */
  readonly name: string;
}

/** Notes which it is, while the component shows it. It is read when somebody asks, and draws nothing anew. */
export function useSubject(
  subject: RefObject<Subject | null>,
  issue: Changeable | undefined,
  name: string,
): void {
  useEffect(() => {
    if (issue === undefined) return undefined;
    const own = { issue, name };
    subject.current = own;
    return () => {
      if (subject.current === own) subject.current = null;
    };
  }, [subject, issue, name]);
}
