import { SluiceError, type Client, type LiveView } from '@sluice/client';
import { leased, release } from './leases.js';
import { failed, isReady, LOADING, paired, switching, trimmed, type Shown } from './shown.js';
import type { Wish } from './wish.js';

interface Open {
  readonly live: LiveView<unknown> | null;
  readonly state: Shown;
}

/**
 * The live views of one hook of one component: of one query, or of two that are shown together.
 *
 *   render   look(wishes)   reads, and changes nothing: what is open here, else what the client knows anyway (rows
 *                           that are kept from a moment ago), else what was shown before, `switching`
 *   effect   take(wishes)   opens what is not open yet
 *   unmount  drop()         closes everything: the client keeps it for a while
 *
 * So a render that React throws away leaves nothing behind, and one that it makes twice (StrictMode) opens nothing
 * twice. When the wishes change, the old live views stay open until all new ones have an answer: then the new results
 * are shown, together, in one move of the client.
 */
export class Hold {
  #client: Client | null = null;
  #open = new Map<string, Open>();
  #wished: readonly Wish[] = [];
  #shown: readonly Wish[] = [];
  #family = '';
  #keep = true;
  #tell: (() => void) | null = null;

  /** For `useSyncExternalStore`: there is one listener at a time. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#tell = listener;
    return () => {
      if (this.#tell === listener) this.#tell = null;
    };
  };

  /** @param patient shows what was shown before while there is no answer. */
  look(client: Client, wishes: readonly Wish[], patient: boolean): Shown {
    const shown = this.#combine(client, wishes);
    if (isReady(shown)) return shown;
    const before = patient && client === this.#client ? this.#combine(client, this.#shown) : undefined;
    return isReady(before) ? switching(before) : LOADING;
  }

  /**
   * @param family wishes of one family are steps of one list (its pages): what a step leaves behind is of no more use.
   * Live views of another family may be come back to, and are kept by the client for a while.
   */
  take(client: Client, wishes: readonly Wish[], family: string): void {
    if (client !== this.#client) this.drop();
    this.#client = client;
    this.#keep = family !== this.#family;
    this.#family = family;
    for (const [index, wish] of wishes.entries()) {
      const like = this.#open.get(this.#shown[index]?.key ?? '')?.live;
      if (!this.#open.has(wish.key)) this.#open.set(wish.key, this.#ask(client, wish, like ?? undefined));
      release(client, wish.key);
    }
    this.#wished = wishes;
    this.#settle();
  }

  drop(): void {
    for (const { live } of this.#open.values()) live?.close();
    this.#open = new Map();
    this.#wished = this.#shown = [];
  }

  #combine(client: Client, wishes: readonly Wish[]): Shown | undefined {
    const [first, beside] = wishes.map((wish) => trimmed(this.#stateOf(client, wish.key), wish.limit));
    if (!first || !beside) return first;
    return isReady(first) && isReady(beside) ? paired(first, beside) : LOADING;
  }

  #stateOf(client: Client, key: string): Shown {
    const open = client === this.#client ? this.#open.get(key) : undefined;
    return open?.state ?? leased(client, key) ?? client.peek(key);
  }

  #ask(client: Client, wish: Wish, like: LiveView<unknown> | undefined): Open {
    try {
      if (wish.error) throw wish.error;
      const live = client.live(wish.ref, like ? { like } : {});
      live.subscribe(() => this.#settle());
      return {
        live,
        get state() {
          return live.state;
        },
      };
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      return { live: null, state: failed(error) };
    }
  }

  /** Shows what is wished for as soon as all of it is there, and closes what is neither shown nor wished for. */
  #settle(): void {
    if (this.#wished.every(({ key }) => isReady(this.#open.get(key)?.state))) this.#shown = this.#wished;
    const wanted = new Set([...this.#wished, ...this.#shown].map(({ key }) => key));
    for (const [key, { live, state }] of this.#open) {
      if (wanted.has(key)) continue;
      this.#open.delete(key);
      live?.close({ keep: this.#keep && isReady(state) });
    }
    this.#tell?.();
  }
}
