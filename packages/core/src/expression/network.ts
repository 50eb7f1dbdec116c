import {
  addressKey,
  compareAddresses,
  networkBits,
  parseAddress,
  widthOf,
  type Address,
} from './address-value.js';
import { comparisons, strict, tests, type Family } from './registry.js';

/** Whether the first `prefix` bits of two addresses of one version agree. */
function agree(a: Address, b: Address, prefix: number): boolean {
  return a.version === b.version && networkBits(a, prefix) === networkBits(b, prefix);
}

function within(left: string, right: string, orEqual: boolean): boolean {
  const a = parseAddress(left);
  const b = parseAddress(right);
  return (orEqual ? a.prefix >= b.prefix : a.prefix > b.prefix) && agree(a, b, b.prefix);
}

function overlap(left: string, right: string): boolean {
  const a = parseAddress(left);
  const b = parseAddress(right);
  return agree(a, b, Math.min(a.prefix, b.prefix));
}

export const NETWORK: Family = {
  ...comparisons('network_', compareAddresses),
  ...tests({
    network_sub: (a, b) => within(a, b, false),
    network_subeq: (a, b) => within(a, b, true),
    network_sup: (a, b) => within(b, a, false),
    network_supeq: (a, b) => within(b, a, true),
    network_overlap: overlap,
  }),
  ...strict('int4', {
    network_family: (text) => String(parseAddress(text).version),
    network_masklen: (text) => String(parseAddress(text).prefix),
  }),
  ...strict('text', {
    network_show: addressKey,
    network_host: (text) => text.replace(/\/.*$/, ''),
    inet_abbrev: (text) =>
      parseAddress(text).prefix === widthOf(parseAddress(text).version) ? text.replace(/\/.*$/, '') : text,
    inet_out: (text) => text,
  }),
};
