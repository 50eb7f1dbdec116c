import { useSyncExternalStore } from 'react';

/** A telephone. The style sheets have the same bound. */
export const NARROW = '(max-width: 720px)';

/** Too narrow for the filters to be beside the title. */
export const COMPACT = '(max-width: 1220px)';

/** Whether a media query holds, also when the window changes. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = window.matchMedia(query);
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    () => window.matchMedia(query).matches,
  );
}
