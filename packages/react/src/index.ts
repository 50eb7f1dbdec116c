export { SluiceProvider, useClient, useClientStatus, type SluiceProviderProps } from './provider.js';
export {
  useLiveOne,
  useLiveQuery,
  useLiveView,
  useSuspenseLiveQuery,
  type LiveOne,
  type SkippedOne,
  type SuspenseResult,
} from './use-live-query.js';
export {
  useLiveInfiniteQuery,
  type InfiniteOptions,
  type LiveInfiniteResult,
} from './use-live-infinite-query.js';
export type { LiveResult, Ref, Skip, Skipped, Standing } from './types.js';
