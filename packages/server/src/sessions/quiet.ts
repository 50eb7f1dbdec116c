import type { Position } from '@sluice/core/position';
import { encode } from './encode.js';
import type { SessionCounters } from './counters.js';
import type { SessionLimits } from './limits.js';
import { lookAheadAt, TOGETHER } from './look-ahead.js';
import type { QuickLane } from './quick-lane.js';
import type { Sink } from './session.js';
import type { Spot } from './spot.js';
import type { Turns } from './turns.js';

/** Whoever knows the connections themselves, by their numbers. */
export interface Connections {
  /** Something came for it that it is to be told in its own turn. */
  due(number: number): void;
  /** Its sink has more on its way than it should. */
  full(number: number): void;
}

/**
 * Tells connections that are quiet (`turns.ts`) what came by the lane (`quick-lane.ts`): its deltas and one move to where the
 * stream is (C14), which is right as all else that they hold rests. Neither their sessions nor their members are looked at.
 */
export class Quiet {
  readonly #turns: Turns;
  readonly #lane: QuickLane;
  readonly #limits: Pick<SessionLimits, 'bufferHighBytes' | 'bufferBytesMax'>;
  readonly #counters: SessionCounters;
  readonly #connections: Connections;
  /** By number. */
  readonly #sinks: (Sink | undefined)[] = [undefined];

  constructor(
    turns: Turns,
    lane: QuickLane,
    limits: Pick<SessionLimits, 'bufferHighBytes' | 'bufferBytesMax'>,
    counters: SessionCounters,
    connections: Connections,
  ) {
    this.#turns = turns;
    this.#lane = lane;
    this.#limits = limits;
    this.#counters = counters;
    this.#connections = connections;
  }

  connect(number: number, sink: Sink): void {
    this.#sinks[number] = sink;
  }

  gone(number: number): void {
    this.#sinks[number] = undefined;
  }

  /** Of all for which something came by the lane. @param position the same as `tip` */
  tell(tip: Spot, position: () => Position): void {
    const numbers = this.#turns.numbers();
    if (numbers.length === 0) return;
    const move = encode({ kind: 'move', position: position() });
    for (let from = 0; from < numbers.length; from += TOGETHER) {
      const some = numbers.slice(from, from + TOGETHER);
      if (some.length > 1) lookAheadAt(some.map((number) => this.#sinks[number]));
      for (const number of some) if (!this.#tell(number, tip, move)) this.#connections.due(number);
    }
  }

  /** @param move to the tip @returns whether all that came is told */
  #tell(number: number, tip: Spot, move: Uint8Array): boolean {
    const sink = this.#sinks[number];
    if (sink === undefined || !this.#turns.isQuiet(number)) return false;
    if (sink.bufferedBytes > this.#limits.bufferHighBytes) return false;
    const edits = this.#turns.takesEdits(number);
    const views = this.#turns.viewsOf(number);
    const messages: Uint8Array[] = [];
    for (const view of views) {
      const news = this.#lane.holderOf(view) === number ? this.#lane.news(view) : null;
      if (news === null) return false;
      for (const { from, delta, plain } of news) {
        const message = edits ? delta : plain;
        if (message === null || from > tip) return false;
        messages.push(message);
      }
    }
    if (messages.length === 0) return false;
    for (const view of views) this.#lane.tell(view);
    this.#turns.moveTo(number, tip);
    this.#turns.settle(number);
    messages.push(move);
    this.#counters.moves += 1;
    this.#counters.messages += messages.length;
    for (const { length } of messages) this.#counters.bytes += length;
    sink.send(messages);
    if (sink.bufferedBytes > this.#limits.bufferBytesMax) this.#connections.full(number);
    return true;
  }
}
