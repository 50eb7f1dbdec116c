import { must } from '@sluice/core/assert';
import { loadChunks } from '@sluice/core/chunks/load';
import type { Pieces } from '@sluice/core/flow/compile';
import type { IncrementalPlan, Planned } from '../planner/planned.js';

/** What the engines of plans are made of: loaded when a query is opened, at hand when its template is made. */
export class PlanPieces {
  readonly #loaded = new WeakMap<IncrementalPlan, Pieces>();

  /** @throws `chunk_unknown` for a plan of another version */
  async load({ gear }: Planned): Promise<void> {
    if (gear.kind !== 'incremental' || this.#loaded.has(gear)) return;
    this.#loaded.set(gear, await loadChunks(gear.plan.chunks));
  }

  of(gear: IncrementalPlan): Pieces {
    return must(this.#loaded.get(gear), 'a plan is loaded before it is used');
  }
}
