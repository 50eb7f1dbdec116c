import { expect, test } from 'vitest';
import { HeldBudget, type Following, type Keeping, type Kept } from './held-budget.js';

class Template implements Following {
  readonly kind = 'incremental';
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

/** Keeps answers of so many bytes. */
class Answers implements Keeping {
  readonly kind = 'rerun';
  readonly answers: number[];

  constructor(...answers: number[]) {
    this.answers = answers;
  }

  get viewCount(): number {
    return this.answers.length;
  }

  get heldBytes(): number {
    return this.answers.reduce((sum, bytes) => sum + bytes, 0);
  }

  kept(): Kept[] {
    return this.answers.map((bytes, at) => ({ bytes, letGo: () => (this.answers[at] = 0) }));
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

test('P6: the largest answers that are kept go before any view is given up, and room is left then', () => {
  const asked: number[] = [];
  const budget = new HeldBudget(80, (bytes) => asked.push(bytes));
  const followed = new Template(2, 40);
  const [one, other] = [new Answers(10, 3), new Answers(4, 12, 5)];
  for (const template of [followed, one, other]) budget.note(template);
  expect(asked).toEqual([]); // 74
  other.answers.push(7);
  budget.note(other);
  budget.spared();
  // 81 are too much; at 70 an eighth is free.
  expect([one.answers, other.answers]).toEqual([
    [10, 3],
    [4, 0, 5, 7],
  ]);
  expect([asked, followed.viewCount]).toEqual([[81], 2]);
  expect([budget.hasRoom(other, 1), budget.hasRoom(other, 2)]).toEqual([true, false]);
  // What has come since it was noted counts, and what has gone.
  one.answers[0] = 11;
  expect([budget.hasRoom(one, 0), budget.hasRoom(one, 1)]).toEqual([true, false]);
  one.answers.pop();
  budget.closed(one);
  expect([budget.hasRoom(other, 3), budget.hasRoom(other, 4)]).toEqual([true, false]);
  expect(asked).toEqual([81]);
});

test('P6: views are given up when no answer is kept any more, until the rest fits', () => {
  const budget = new HeldBudget(80, () => undefined);
  const [followed, kept] = [new Template(4, 120), new Answers(20, 30)];
  budget.note(kept);
  budget.note(followed);
  budget.spared();
  expect([kept.answers, followed.viewCount, followed.heldBytes]).toEqual([[0, 0], 2, 60]);
});

test('P6: a view that is handed over is kept by another: its answer goes, and nothing else', () => {
  const asked: number[] = [];
  const budget = new HeldBudget(80, (bytes) => asked.push(bytes));
  const [followed, kept] = [new Template(2, 100), new Answers(5)];
  budget.note(followed);
  budget.note(kept);
  budget.spared();
  expect([kept.answers, followed.viewCount]).toEqual([[0], 1]);
  kept.answers.push(40);
  budget.note(kept);
  budget.spared();
  expect([kept.answers, followed.viewCount]).toEqual([[0, 0], 1]);
  expect(asked).toEqual([100, 90]);
});
