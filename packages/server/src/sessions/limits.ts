/** Every bound of sessions, with its default. */
export interface SessionLimits {
  /** A view that holds the connection longer than this becomes `behind` (C14). */
  readonly holdMs: number;
  /** A view that fell behind may hold the connection again only after a pause, doubling up to this. */
  readonly holdPauseMsMax: number;
  /** How long a view nobody subscribes to any more stays open. */
  readonly keepMs: number;
  /** Of those views, how many … */
  readonly keepViewsMax: number;
  /** … and how many bytes of deltas and rows they may hold together. */
  readonly keepBytesMax: number;
  /** By so many deltas of a view, and so many bytes of them, slow and returning clients are brought on, and by no more. */
  readonly logVersionsMax: number;
  readonly logBytesMax: number;
  /** How long deltas are held … */
  readonly logAgeMs: number;
  /** … and how many bytes of all views together. */
  readonly logBytesTotalMax: number;
  /** Whole encoded rows held for late joiners, of all views together. */
  readonly rowsBytesMax: number;
  /** Above this many unsent bytes a connection gets nothing new … */
  readonly bufferHighBytes: number;
  /** … above this many it is closed, … */
  readonly bufferBytesMax: number;
  /** … and also when it stays above `bufferHighBytes` for so long. */
  readonly stallMs: number;
  /** More deltas than this at once are folded into one. */
  readonly foldAbove: number;
  readonly subscriptionsMax: number;
  readonly subscriptionsPerPrincipalMax: number;
  /** Answers and errors that wait for a client that does not read. */
  readonly controlMax: number;
  readonly reachesMax: number;
  readonly reachMs: number;
  /** Commit tokens remembered, newest first. */
  readonly tokensMax: number;
}

export const SESSION_LIMITS: SessionLimits = {
  holdMs: 100,
  holdPauseMsMax: 10_000,
  keepMs: 60_000,
  keepViewsMax: 10_000,
  keepBytesMax: 64 * 1024 * 1024,
  logVersionsMax: 1024,
  logBytesMax: 4 * 1024 * 1024,
  logAgeMs: 60_000,
  logBytesTotalMax: 64 * 1024 * 1024,
  rowsBytesMax: 64 * 1024 * 1024,
  bufferHighBytes: 1024 * 1024,
  bufferBytesMax: 256 * 1024 * 1024,
  stallMs: 60_000,
  foldAbove: 8,
  subscriptionsMax: 512,
  subscriptionsPerPrincipalMax: 100_000,
  controlMax: 4096,
  reachesMax: 1024,
  reachMs: 60_000,
  tokensMax: 100_000,
};
