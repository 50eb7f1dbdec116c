import type { ServerMessage, Subscribe } from '@sluice/core/wire';
import type { SessionLimits } from '../sessions/limits.js';
import { Resolver } from '../sessions/resolver.js';
import type { Session, Sink } from '../sessions/session.js';
import { Sessions } from '../sessions/sessions.js';
import { ManualClock } from './manual-clock.js';
import { ScriptedViews } from './scripted-views.js';

/** One line for each message: what a rule looks like on the wire. */
export class Recorder implements Sink {
  lines: string[] = [];
  readonly messages: ServerMessage[] = [];
  closed: string | null = null;
  writes = 0;
  /** How often it was asked whether it has room: whenever there might be something to tell. */
  looks = 0;
  #bufferedBytes = 0;

  get bufferedBytes(): number {
    this.looks += 1;
    return this.#bufferedBytes;
  }

  set bufferedBytes(bytes: number) {
    this.#bufferedBytes = bytes;
  }

  send(messages: readonly Uint8Array[]): void {
    this.writes += 1;
    for (const bytes of messages) {
      const message = JSON.parse(Buffer.from(bytes).toString()) as ServerMessage;
      this.messages.push(message);
      this.lines.push(line(message));
    }
  }

  close(code: number): void {
    this.closed = String(code);
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}

function line(message: ServerMessage): string {
  const lsn = (position: string): number => Number.parseInt(position.split('/')[1] ?? '', 16);
  switch (message.kind) {
    case 'rows':
      return `rows ${message.view}@${lsn(message.at)}`;
    case 'delta':
      return `delta ${message.view} ${lsn(message.from)}-${lsn(message.to)} (${message.ops.length})`;
    case 'difference':
      return `difference ${message.view}@${lsn(message.at)} buckets=${message.buckets.join('+')}`;
    case 'move': {
      const { current, behind, errors, reached, replaced } = message;
      const parts = [
        `move ${lsn(message.position)}`,
        ...(current ? [`current=${current.join('+')}`] : []),
        ...(behind ?? []).map(([view, at]) => `behind=${view}@${lsn(at)}`),
        ...(errors ?? []).map(([view, error]) => `error=${view}:${error.code}`),
        ...(reached ? [`reached=${reached.join('+')}`] : []),
        ...(replaced ? [`replaced=${replaced.join('+')}`] : []),
      ];
      return parts.join(' ');
    }
    case 'subscribed':
      return `subscribed ${message.id}=${message.view}${message.shared === true ? ' shared' : ''}`;
    case 'error':
      return `error ${message.id ?? message.reach ?? ''}:${message.error.code}`;
    default:
      return message.kind;
  }
}

/** Sessions over views that the test scripts, under a clock that it turns. */
export class SessionsStage {
  readonly clock: ManualClock = new ManualClock();
  readonly views: ScriptedViews = new ScriptedViews();
  readonly sessions: Sessions;

  constructor(limits: Partial<SessionLimits> = {}) {
    const { clock, views } = this;
    const resolver = new Resolver({ allowSql: true });
    this.sessions = new Sessions({ port: views, clock, resolver, secret: Buffer.alloc(32, 1), limits });
  }

  connect(position: string | null = null, edits = true): { session: Session; sink: Recorder } {
    const sink = new Recorder();
    return { sink, session: this.sessions.connect(sink, { role: 'r', claims: {} }, position, edits) };
  }

  async subscribe(session: Session, id: number, sql: string, more: Partial<Subscribe> = {}): Promise<void> {
    session.subscribe({ kind: 'subscribe', id, sql, ...more });
    for (let i = 0; i < 5; i++) await Promise.resolve();
    this.clock.turn();
  }

  batch(...args: Parameters<ScriptedViews['batch']>): void {
    this.views.batch(...args);
    this.clock.turn();
  }

  /** A connection that shows these views, empty, at position 10. */
  async shown(...names: string[]): Promise<{ session: Session; sink: Recorder }> {
    const one = this.connect();
    for (const [i, name] of names.entries()) await this.subscribe(one.session, i + 1, name);
    this.batch(10, ...names.map((name) => ({ rows: name, at: 10, is: [] })));
    one.sink.take();
    return one;
  }
}

export const put = (key: string, value: string): readonly ['put', string, readonly string[]] => [
  'put',
  key,
  [value],
];
