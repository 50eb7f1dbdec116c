import type { ViewId } from '@sluice/core/wire';

/** The places of views: the least that is free, so that one is soon another view's. */
export class Places {
  readonly #views: (ViewId | undefined)[] = [];

  /** @returns the view's, which it has from now on if it had none */
  of(view: ViewId): number {
    const known = this.#views.indexOf(view);
    if (known >= 0) return known;
    const free = this.#views.indexOf(undefined);
    const place = free < 0 ? this.#views.length : free;
    this.#views[place] = view;
    return place;
  }

  close(view: ViewId): void {
    const place = this.#views.indexOf(view);
    if (place >= 0) this.#views[place] = undefined;
  }
}
