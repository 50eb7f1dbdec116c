import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Random } from '../kit/random.js';
import { answerOf, errorAnswer, type TextRow } from './answer.js';
import type { Corpus } from './corpus.js';
import type { Judge, SeenView } from './judge.js';
import { bind, type Bound } from './query.js';
import { lsnOf } from './wal-stream.js';

export interface PythonWatcherOptions {
  readonly name: string;
  readonly url: string;
  readonly judge: Judge;
  readonly corpus: Corpus;
  readonly random: Random;
  readonly views: number;
}

/** What the Python client prints after each move: one JSON object a line. */
interface Line {
  readonly position: string;
  readonly views: readonly {
    /** Which of the queries it was given. */
    readonly index: number;
    readonly gear: string;
    /** The position that the rows are at, when the view is behind. */
    readonly behind: string | null;
    /** Left out when they are the same as in the line before. */
    readonly rows?: readonly TextRow[];
    /** Instead of rows: the code of the error, and its detail. */
    readonly error?: string;
  }[];
}

const SCRIPT = fileURLToPath(new URL('../../python/sse_client.py', import.meta.url));

/** A client that was written from docs/protocol.md alone, in another language, over SSE. */
export class PythonWatcher {
  readonly #options: PythonWatcherOptions;
  readonly #bounds: readonly Bound[];
  readonly #child: ChildProcess;
  readonly #rows = new Map<number, SeenView['answer']>();
  readonly #reported = new Map<number, string>();
  #position = 0n;
  #last = 'nothing';
  #movedMs = Date.now();
  #expected = false;
  #failure: string | null = null;

  private constructor(options: PythonWatcherOptions) {
    this.#options = options;
    const { corpus, random } = options;
    // Unlike the others it cannot ask to be told of a position, so one of its queries changes at the very end.
    const last = corpus.queries
      .filter(({ id }) => id === 'accounts.last_transfers')
      .map((query) => bind(query, []));
    const drawn = Array.from({ length: options.views }, () => corpus.drawLasting(random));
    this.#bounds = [...corpus.always, ...last, ...drawn];
    options.judge.join(options.name);
    const queries = this.#bounds.map(({ query, params }) => ({
      ...(query.named === true ? { query: query.id, args: params } : { sql: query.sql, params }),
      ...(query.clock ? { tick: query.clock.tick } : {}),
    }));
    this.#child = spawn('python3', [SCRIPT, options.url], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin?.end(JSON.stringify(queries));
    if (this.#child.stdout)
      createInterface({ input: this.#child.stdout }).on('line', (line) =>
        this.#line(JSON.parse(line) as Line),
      );
    let errors = '';
    this.#child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    this.#child.once('exit', (code) => {
      if (!this.#expected)
        this.#failure = `the Python client ended by itself (${code}): ${errors.slice(-2000)}`;
    });
  }

  /** @returns null, loudly, when there is no Python here. */
  static start(options: PythonWatcherOptions): PythonWatcher | null {
    if (spawnSync('python3', ['--version']).status === 0) return new PythonWatcher(options);
    console.warn('SKIPPED: no python3 here, the Python client does not take part');
    return null;
  }

  /** Waits until the client has moved past the position, which must be followed by a change that it is told of. */
  async pass(lsn: string, timeoutMs: number, failed: (failure: string) => void): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.#failure === null && this.#position <= lsnOf(lsn)) {
      if (Date.now() > deadline)
        return failed(
          `the Python client did not pass ${lsn}: its last move was to ${this.#last}, ${Date.now() - this.#movedMs} ms ago`,
        );
      await sleep(50);
    }
    if (this.#failure !== null) failed(this.#failure);
  }

  stop(): void {
    this.#expected = true;
    this.#child.kill('SIGTERM');
    this.#options.judge.leave(this.#options.name);
  }

  #line(line: Line): void {
    const { epoch, lsn } = split(line.position);
    let empty = true;
    const views = line.views.flatMap(({ index, gear, behind, rows, error }): readonly SeenView[] => {
      const bound = this.#bounds[index];
      if (!bound) return [];
      if (rows) {
        empty = false;
        this.#rows.set(index, answerOf(rows, bound.query.ordered));
      }
      const answer =
        error === undefined ? this.#rows.get(index) : errorAnswer(error.replace(/^\w+ SQLSTATE /, ''));
      if (!answer) return [];
      const own = behind === null ? lsn : split(behind).lsn;
      const reported = behind === null ? '' : `${own} ${answer.digest}`;
      const again = reported !== '' && this.#reported.get(index) === reported;
      this.#reported.set(index, reported);
      return [{ bound, lsn: own, answer, behind: behind !== null, gear, again }];
    });
    this.#position = lsn;
    this.#last = line.position;
    this.#movedMs = Date.now();
    this.#options.judge.moved(this.#options.name, { epoch, lsn, views, empty });
  }
}

function split(position: string): { readonly epoch: string; readonly lsn: bigint } {
  const colon = position.lastIndexOf(':');
  return { epoch: position.slice(0, colon), lsn: lsnOf(position.slice(colon + 1)) };
}
