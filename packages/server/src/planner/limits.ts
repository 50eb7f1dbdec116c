/** Bounds on one query's text: a refused query must cost almost nothing. */
export interface PlannerLimits {
  /** Length of the text. Default 64 KiB. */
  readonly sqlBytesMax: number;
  /** Nesting: open brackets; five times as many operators in a chain. Default 200. */
  readonly depthMax: number;
  /** Default 1,000. */
  readonly paramsMax: number;
  /** Columns of the result. Default 400. */
  readonly columnsMax: number;
  /** Relations named in the text, views counted as one. Default 32. */
  readonly relationsMax: number;
  /** Length of one parameter's value. Default 1 MiB. */
  readonly paramBytesMax: number;
}

export const DEFAULT_LIMITS: PlannerLimits = {
  sqlBytesMax: 64 * 1024,
  depthMax: 200,
  paramsMax: 1_000,
  columnsMax: 400,
  relationsMax: 32,
  paramBytesMax: 1024 * 1024,
};
