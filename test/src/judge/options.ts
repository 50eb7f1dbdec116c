import type { TokenCounts } from './reaches.js';
import type { Counts } from './report.js';

/** What a judged run is made of. */
export interface TrialOptions {
  /** Decides rows, writers, queries and disturbances, as far as concurrency lets it. */
  readonly seed: string;
  readonly seconds: number;
  /** Whether the run has seen what it is for; else it takes longer. */
  readonly enough?: (counts: Counts, tokens: TokenCounts) => boolean;
  /** Clients in this process, beside the Python one. */
  readonly clients: number;
  /** Live views of each client, beside those of the invariants. */
  readonly views: number;
  readonly writers: number;
  /** The longest pause of a writer between two transactions. */
  readonly writerPauseMsMax: number;
  /** How long at most until a client closes, opens or replaces a view; 0: never. */
  readonly churnMsMax: number;
  /** Names of `DISTURBANCES`. */
  readonly chaos: readonly string[];
  /** Between two disturbances: at least and at most. */
  readonly chaosPauseMs: readonly [number, number];
  /** Servers behind a round-robin proxy. */
  readonly servers: number;
  readonly slot: 'temporary' | 'permanent';
  /** Views in one thread, sessions in another. */
  readonly threads: boolean;
  /** Changes of the schema are told by the event trigger; else they are noticed by polling. */
  readonly eventTrigger: boolean;
  /** Between two changes of the schema: at least and at most. */
  readonly schemaPauseMs: readonly [number, number];
  /** A client in Python, over SSE, takes part. */
  readonly python: boolean;
  /** Major version of Postgres; undefined: the suite's. */
  readonly postgres: number | undefined;
  /** Where logs and the report go. */
  readonly folder: string;
  /** Writes down everything on the clients' wires, in the folder. */
  readonly wire: boolean;
  /** More clients, each with a fault planted on its wire, to see it found: by name. */
  readonly faults: Readonly<Record<string, () => (text: string) => readonly string[]>>;
  readonly print: (line: string) => void;
}

export const DEFAULTS: Omit<TrialOptions, 'seed' | 'folder' | 'print'> = {
  seconds: 20,
  clients: 6,
  views: 8,
  writers: 5,
  writerPauseMsMax: 60,
  churnMsMax: 1500,
  chaos: [],
  chaosPauseMs: [3000, 8000],
  servers: 1,
  slot: 'temporary',
  threads: false,
  eventTrigger: false,
  schemaPauseMs: [500, 5000],
  python: false,
  faults: {},
  wire: false,
  postgres: undefined,
};
