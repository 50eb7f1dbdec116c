import { SluiceError } from '@sluice/client';

/** The errors that arise in the hooks; all others come from the client and the server. */
export const REACT_ERRORS = {
  provider_missing: {
    message: 'There is no SluiceProvider above this component.',
    hint: 'Put <SluiceProvider client={client}> around the application, with the client of createClient.',
    retry: false,
    stage: 'react',
  },
  total_malformed: {
    message: 'The query given as total does not answer with one number.',
    hint: 'Give useLiveInfiniteQuery a total whose query counts: one row, its first column a number.',
    retry: false,
    stage: 'react',
  },
  suspended_on_server: {
    message: 'A server that renders a page holds no live queries: the page will show this part.',
    hint: 'Nothing is wrong where the component is inside of <Suspense>: its fallback is in the HTML.',
    retry: false,
    stage: 'react',
  },
} as const;

export function reactError(code: keyof typeof REACT_ERRORS): SluiceError {
  return new SluiceError(code, REACT_ERRORS[code]);
}
