import { expect, test } from 'vitest';
import { HeldBudget, type Holder } from './held-budget.js';

class Template implements Holder {
  viewCount: number;
  heldBytes: number;

  constructor(viewCount: number, heldBytes: number) {
    this.viewCount = viewCount;
    this.heldBytes = heldBytes;
  }

  get followedCount(): number {
    return this.viewCount;
  }

  /** What none of its views needs. */
  spareBytes = 0;

  trim(): void {
    this.heldBytes -= this.spareBytes;
    this.spareBytes = 0;
  }

  giveUp(): boolean {
    if (this.viewCount === 0) return false;
    this.heldBytes -= this.heldBytes / this.viewCount--;
    return true;
  }
}

test('P6: what holds most for each view gives views up until the rest fits, once nothing is kept for nobody', () => {
  const asked: number[] = [];
  const budget = new HeldBudget(100, (bytes) => asked.push(bytes));
  const [many, few] = [new Template(10, 50), new Template(2, 40)];
  budget.note(many);
  budget.note(few);
  expect(asked).toEqual([]);
  many.heldBytes = 70;
  budget.note(many);
  budget.note(many);
  expect(asked).toEqual([110]);
  expect(few.viewCount).toBe(2); // nothing before the others have had their turn
  budget.spared();
  expect([many.viewCount, few.viewCount]).toEqual([10, 1]);
  few.heldBytes = 40;
  budget.note(few);
  expect(asked).toEqual([110, 110]);
});

test('P6: what no view needs goes before any view does', () => {
  const budget = new HeldBudget(100, () => undefined);
  const [one, other] = [new Template(2, 80), new Template(2, 40)];
  one.spareBytes = 30;
  budget.note(one);
  budget.note(other);
  budget.spared();
  expect([one.viewCount, one.heldBytes, other.viewCount]).toEqual([2, 50, 2]);
});

test("P6: rows that were read for views that are gone meanwhile are nobody's", () => {
  const budget = new HeldBudget(100, () => expect.fail('nothing is held'));
  const template = new Template(1, 90);
  budget.note(template);
  budget.forget(template);
  template.viewCount = 0;
  budget.note(template);
  expect(budget.size).toBe(0);
  budget.note(new Template(1, 90));
});
