/** The world as a command sees it: passed in, so that a test can stand around it. */
export interface Io {
  /** Results. */
  readonly out: (text: string) => void;
  /** Everything else: errors, hints, logs. */
  readonly err: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The project. */
  readonly folder: string;
  /** Resolves when the process is asked to stop; who never calls it is ended by the signal as usual. */
  readonly stopped: () => Promise<void>;
}

/** 0: fine; 1: something was found or failed; 2: wrongly called. */
export type ExitCode = 0 | 1 | 2;
