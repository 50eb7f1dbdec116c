import type { KeyedRow } from '@sluice/core/engine/diff';
import type { EncodedOp } from '@sluice/core/engine/held-row';
import type { Lsn } from '@sluice/core/lsn';
import type { Binding } from '@sluice/core/plan';
import type { Ask, Held } from './gear.js';
import type { Base } from './relevant-log.js';
import type { Restlessness } from './restlessness.js';
import type { View } from './view.js';

/** A view in the incremental gear. */
export class IncrementalView implements Base, Ask {
  readonly view: View;
  readonly binding: Binding;
  /** In the engine; null while a fetch is on its way. */
  held: Held | null = null;
  /** In the engine as well, without an answer: what it lacks is on its way. */
  waiting: Held | null = null;
  /** What clients hold, while there is no member: `carry` leads from the last version to `shown`. */
  shown: readonly KeyedRow[] = [];
  carry: readonly EncodedOp[] = [];
  base: Lsn;
  told = false;
  /** Rows to fetch beyond the window on top of its margin: grows while windows run dry. */
  extra = 0;
  readonly restlessness: Restlessness;

  constructor(view: View, binding: Binding, base: Lsn, restlessness: Restlessness) {
    this.view = view;
    this.binding = binding;
    this.base = base;
    this.restlessness = restlessness;
  }

  /** Its window ran dry. */
  fetchFurther(): void {
    this.extra = Math.min(2 * this.extra + 10, 10_000);
  }
}
