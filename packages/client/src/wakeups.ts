/**
 * What the platform tells about the network and the screen. `online` and `visible` are reasons to try at once,
 * `offline` to check whether the connection still lives; none of them is believed on its own.
 */
export type Wakeup = 'online' | 'offline' | 'visible';

/** @returns what stops listening. */
export type Wakeups = (listener: (wakeup: Wakeup) => void) => () => void;

interface Target {
  addEventListener?: (kind: string, listener: () => void) => void;
  removeEventListener?: (kind: string, listener: () => void) => void;
}

/** The events of a page; nothing elsewhere. */
export const pageWakeups: Wakeups = (listener) => {
  const page = globalThis as Target & { document?: Target & { visibilityState?: string } };
  const document = page.document;
  if (!document || !page.addEventListener) return () => undefined;
  const online = (): void => listener('online');
  const offline = (): void => listener('offline');
  const visible = (): void => {
    if (document.visibilityState === 'visible') listener('visible');
  };
  page.addEventListener('online', online);
  page.addEventListener('offline', offline);
  document.addEventListener?.('visibilitychange', visible);
  return () => {
    page.removeEventListener?.('online', online);
    page.removeEventListener?.('offline', offline);
    document.removeEventListener?.('visibilitychange', visible);
  };
};
