/** Holds everyone up while it is set. */
export class Pause {
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  #isSet = false;

  get isSet(): boolean {
    return this.#isSet;
  }

  set(isSet: boolean): void {
    this.#isSet = isSet;
    if (!isSet) for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  async wait(): Promise<void> {
    if (this.#isSet) await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Sends everyone who waits away. */
  reject(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
