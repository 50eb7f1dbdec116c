import { assert } from '../assert.js';
import { withOne } from '../few.js';
import { NumberMap } from '../number-map.js';
import type { TablePlan } from '../plan.js';
import type { TypeRules } from './compare.js';
import type { HeldRow } from './member.js';
import { printOf } from './print.js';
import { TableEngine } from './table-engine.js';

/** An engine for many rows, that takes over what others of its plan hold. */
export class MergingTableEngine extends TableEngine {
  /** @param rules those of the chunks that the plan names */
  constructor(plan: TablePlan, rules: TypeRules) {
    super(plan, rules, new NumberMap());
  }

  /** Takes over all members of another engine of the same plan, both being at the same position; the other is used no more. */
  absorb(other: TableEngine): void {
    for (const member of other.members()) {
      member.exchange((row) => {
        const held = this.held.get(row.key) ?? this.keep(row);
        assert(held.json === row.json, 'engines at one position hold the same row');
        if (held !== row) held.members = withOne(held.members, member);
        return held;
      });
      member.engine = this;
      this.register(member);
    }
  }

  /** Texts of different prints differ: the one that is held is not read then. */
  protected override write(row: HeldRow, json: string): boolean {
    const print = printOf(json);
    if (print === row.print && json === row.json) return false;
    row.print = print;
    row.json = json;
    return true;
  }

  protected override keep(row: HeldRow): HeldRow {
    row.print = printOf(row.json);
    return super.keep(row);
  }
}
