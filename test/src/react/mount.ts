import { createElement, Profiler, type ReactElement, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { SluiceProvider } from '@sluice/react';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import type { Client } from '@sluice/client';
import { onTestFinished, vi } from 'vitest';

/** A React root in the document, with the provider around it; React's own scheduling, no `act`. */
export interface Mounted {
  readonly container: HTMLElement;
  readonly root: Root;
  /** Commits so far. */
  readonly commits: number;
  render(children: ReactNode, client?: Client): void;
  unmount(): void;
  /** Each text that was to be seen, in order: also what was there for less time than it takes to look. */
  readonly seen: readonly string[];
  /** Resolves when the text is this. */
  shows(text: string): Promise<void>;
}

/** Resolves when it does not throw any more. */
export function eventually(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 5 });
}

export function mount(
  client: Client,
  children: ReactNode,
  wrap = (node: ReactElement): ReactElement => node,
): Mounted {
  const container = document.createElement('div');
  document.body.append(container);
  const seen: string[] = [];
  const observer = new MutationObserver(() => {
    const text = container.textContent ?? '';
    if (seen.at(-1) !== text) seen.push(text);
  });
  observer.observe(container, { childList: true, subtree: true, characterData: true });
  onTestFinished(() => observer.disconnect());
  let commits = 0;
  const root = createRoot(container, { onRecoverableError: () => undefined, onCaughtError: () => undefined });
  const render = (node: ReactNode, by = client): void =>
    root.render(
      wrap(
        createElement(
          Profiler,
          { id: 'all', onRender: () => void commits++ },
          createElement(SluiceProvider, { client: by }, node),
        ),
      ),
    );
  render(children);
  onTestFinished(() => root.unmount());
  return {
    container,
    root,
    seen,
    get commits() {
      return commits;
    },
    render,
    unmount: () => root.unmount(),
    shows: (text) =>
      eventually(() => {
        if (container.textContent !== text) throw new Error(`there is ${String(container.textContent)}`);
      }),
  };
}
