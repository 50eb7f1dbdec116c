import { must } from '@sluice/core/assert';
import { loadChunks } from '@sluice/core/chunks/load';
import type { EnginePieces } from '@sluice/core/flow/engine-pieces';
import type { IncrementalPlan, Planned } from '../planner/planned.js';

/** What the engines of plans are made of: loaded when a query is opened, at hand when its template is made. */
export class PlanPieces {
  readonly #loaded = new WeakMap<IncrementalPlan, EnginePieces>();

  /** @throws `plan_version_unknown`, `chunk_unknown` for a plan that was made by another version of Sluice */
  async load({ gear }: Planned): Promise<void> {
    if (gear.kind !== 'incremental' || this.#loaded.has(gear)) return;
    this.#loaded.set(gear, await loadChunks(gear.plan));
  }

  of(gear: IncrementalPlan): EnginePieces {
    return must(this.#loaded.get(gear), 'a plan is loaded before it is used');
  }
}
