import { useEffect, useRef } from 'react';

/** What a key does; named as the browser names it. */
export type Keys = Readonly<Record<string, () => void>>;

/**
 * Keys for the whole page, while the component is there. Not while somebody writes, chooses from a menu, or a dialog is
 * open, and not with Ctrl, Alt or ⌘, which are the browser's.
 */
export function useKeys(keys: Keys): void {
  const now = useRef(keys);
  useEffect(() => {
    now.current = keys;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && isElsewhere(event.target, event.key)) return;
      const act = Object.hasOwn(now.current, event.key) ? now.current[event.key] : undefined;
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}

/** ⌘K, or Ctrl-K: from anywhere in the page but a dialog. */
export function useChord(key: string, act: () => void): void {
  const now = useRef(act);
  useEffect(() => {
    now.current = act;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== key || !(event.ctrlKey || event.metaKey)) return;
      if (event.shiftKey || event.altKey) return;
      event.preventDefault();
      if (document.querySelector('dialog[open]') === null) now.current();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [key]);
}

/** Whether the key belongs to what has the focus. */
function isElsewhere(target: Element, key: string): boolean {
  if (document.querySelector('dialog[open], [role=menu]') !== null) return true;
  if (target.closest('input, textarea, select, [contenteditable]') !== null) return true;
  return key === 'Enter' && target.closest('a, button, summary') !== null;
}
