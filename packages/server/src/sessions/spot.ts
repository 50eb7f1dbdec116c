import { asLsn, type Lsn } from '@sluice/core/lsn';
import { formatPosition, parsePosition, type Epoch, type Position } from '@sluice/core/position';

declare const spot: unique symbol;

/**
 * A position as sessions compare it: the LSN below, the number of the epoch above bit 64. So a later epoch is
 * always ahead, whatever its LSN, and nothing that is told in order ever goes back.
 */
export type Spot = bigint & { readonly [spot]: true };

export const SPOT_ZERO: Spot = 0n as Spot;

const LSN_BITS = 64n;

/** The epochs that the stream has been through, numbered in order. */
export class Epochs {
  readonly #epochs: Epoch[] = [];

  /** @returns whether the epoch is new. */
  enter(epoch: Epoch): boolean {
    if (this.#epochs.at(-1) === epoch) return false;
    this.#epochs.push(epoch);
    return true;
  }

  /** A position of the current epoch. */
  spot(lsn: Lsn): Spot {
    return spotOf(Math.max(0, this.#epochs.length - 1), lsn);
  }

  text(at: Spot): Position {
    const epoch = this.#epochs[epochOf(at)];
    return formatPosition(epoch ?? '0.0', lsnOf(at));
  }

  /** @returns null for an epoch that this stream has not been through. */
  read(text: string): Spot | null {
    const parsed = parsePosition(text);
    if (parsed === null) return null;
    const index = this.#epochs.lastIndexOf(parsed.epoch);
    return index < 0 ? null : spotOf(index, parsed.lsn);
  }

  isCurrent(at: Spot): boolean {
    return epochOf(at) === this.#epochs.length - 1;
  }
}

/** @param epoch its number */
export function spotOf(epoch: number, lsn: Lsn): Spot {
  return ((BigInt(epoch) << LSN_BITS) | lsn) as Spot;
}

export function epochOf(at: Spot): number {
  return Number(at >> LSN_BITS);
}

export function lsnOf(at: Spot): Lsn {
  return asLsn(BigInt.asUintN(64, at));
}

export function earlier(left: Spot, right: Spot): Spot {
  return left < right ? left : right;
}

export function later(left: Spot, right: Spot): Spot {
  return left > right ? left : right;
}
