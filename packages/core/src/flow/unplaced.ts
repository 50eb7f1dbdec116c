import { NotReproduced } from '../expression/errors.js';

/** What learns how texts are ordered. */
export interface Learns {
  /** Does the work, to learn of all texts that are wanted. What comes of it is void. */
  learn(work: () => void): void;
}

/** A text whose place in an order is not known yet. */
export class Unplaced extends NotReproduced {
  readonly #orders: Learns;

  constructor(orders: Learns) {
    super('the order of a text that has no place yet');
    this.#orders = orders;
  }

  /** Does again what came upon it, to learn of all texts that are wanted. What comes of it is void. */
  learn(work: () => void): void {
    this.#orders.learn(work);
  }
}
