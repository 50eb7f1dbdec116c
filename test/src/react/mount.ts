import { createElement, Profiler, type ReactElement, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { SluiceProvider } from '@sluice/react';
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
  /** Resolves when the text is this. */
  shows(text: string): Promise<void>;
}

/** Resolves when it does not throw any more. */
export function eventually(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 20_000, interval: 5 });
}

export function mount(
  client: Client,
  children: ReactNode,
  wrap = (node: ReactElement): ReactElement => node,
): Mounted {
  const container = document.createElement('div');
  document.body.append(container);
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
