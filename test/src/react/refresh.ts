import { createRequire } from 'node:module';

/** What bundlers call when the text of a module has changed. */
export interface Refresh {
  injectIntoGlobalHook(window: unknown): void;
  register(type: unknown, id: string): void;
  createSignatureFunctionForTransform(): (type: unknown, key: string) => unknown;
  performReactRefresh(): unknown;
}

/** Import this before `react-dom`, which looks for the hook when it is loaded. */
export const refresh: Refresh = createRequire(import.meta.url)('react-refresh/runtime') as Refresh;
refresh.injectIntoGlobalHook(globalThis);
