import { SluiceError } from '@sluice/core/errors';
import type { SourceEvent } from '../source/source-status.js';
import type { FromViews } from '../views/port.js';
import type { ViewEvent } from '../views/host-options.js';

/** Tables that have a label of their own. */
const TABLES_MAX = 50;
/** Templates that have a label of their own; the ones after them are counted together, so that labels are bounded. */
const TEMPLATES_MAX = 50;
const OTHERS = 'other';

/** Counts since the process began. Plain data: crosses from the views' thread. */
export interface EventTotals {
  readonly hydrations: number;
  readonly hydratedViews: number;
  readonly misses: number;
  /** Of these, those for want of values that were not sent, by table (oid). */
  readonly unsent: readonly (readonly [table: string, misses: number])[];
  readonly restless: number;
  readonly slowed: number;
  /** Views that went over to the re-run gear while they were open, by why. */
  readonly handedOver: readonly (readonly [why: string, count: number])[];
  /** How often views held more together than they may. */
  readonly full: number;
  readonly reruns: readonly RerunTotals[];
  readonly errors: readonly (readonly [code: string, count: number])[];
}

export interface RerunTotals {
  /** The beginning of the template's hash. */
  readonly template: string;
  readonly runs: number;
  readonly views: number;
  readonly ms: number;
}

/** Counts what the source and the views tell. Labels are hashes and registered codes, never a user's words. */
export class EventCounts {
  #hydrations = 0;
  #hydratedViews = 0;
  #misses = 0;
  #restless = 0;
  #slowed = 0;
  #full = 0;
  readonly #unsent = new Map<string, number>();
  readonly #handedOver = new Map<string, number>();
  readonly #reruns = new Map<string, RerunTotals>();
  readonly #errors = new Map<string, number>();

  viewEvent(event: ViewEvent): void {
    switch (event.kind) {
      case 'hydrated':
        this.#hydrations++;
        this.#hydratedViews += event.views;
        break;
      case 'missed':
        this.#misses++;
        for (const relation of event.unsent) this.#missedFor(String(relation));
        break;
      case 'restless':
        this.#restless++;
        break;
      case 'slowed':
        this.#slowed++;
        break;
      case 'full':
        this.#full++;
        break;
      case 'handed_over':
        this.#handedOver.set(event.why, (this.#handedOver.get(event.why) ?? 0) + 1);
        break;
      case 'reran':
        this.#reran(event.template.slice(0, 12), event.views, event.ms);
        break;
      case 'fetch_failed':
      case 'failed':
        this.error(event.error instanceof SluiceError ? event.error.code : 'internal');
    }
  }

  sourceEvent(event: SourceEvent): void {
    if (event.kind === 'disconnected' || event.kind === 'probe_failed') this.error(event.code);
  }

  /** What clients are told of their queries. */
  message(message: FromViews): void {
    if (message.kind === 'refused') this.error(message.error.code);
    if (message.kind !== 'batch') return;
    for (const entry of message.entries)
      if (entry.kind === 'error' || entry.kind === 'ended') this.error(entry.error.code);
  }

  error(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  totals(): EventTotals {
    return {
      hydrations: this.#hydrations,
      hydratedViews: this.#hydratedViews,
      misses: this.#misses,
      unsent: [...this.#unsent],
      restless: this.#restless,
      slowed: this.#slowed,
      handedOver: [...this.#handedOver],
      full: this.#full,
      reruns: [...this.#reruns.values()],
      errors: [...this.#errors],
    };
  }

  #missedFor(relation: string): void {
    const table = this.#unsent.has(relation) || this.#unsent.size < TABLES_MAX ? relation : OTHERS;
    this.#unsent.set(table, (this.#unsent.get(table) ?? 0) + 1);
  }

  #reran(hash: string, views: number, ms: number): void {
    const template = this.#reruns.has(hash) || this.#reruns.size < TEMPLATES_MAX ? hash : OTHERS;
    const before = this.#reruns.get(template) ?? { template, runs: 0, views: 0, ms: 0 };
    this.#reruns.set(template, {
      template,
      runs: before.runs + 1,
      views: before.views + views,
      ms: before.ms + ms,
    });
  }
}
