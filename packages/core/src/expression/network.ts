import {
  addressKey,
  addressText,
  compareAddresses,
  networkBits,
  parseAddress,
  widthOf,
  type Address,
} from './address-value.js';
import { PgError } from './errors.js';
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

const INT8_END = 1n << 63n;

/** Of a network: the bits that tell hosts apart. */
function hostBits({ version, prefix }: Address): bigint {
  return (1n << BigInt(widthOf(version) - prefix)) - 1n;
}

function allBits(version: 4 | 6): bigint {
  return (1n << BigInt(widthOf(version))) - 1n;
}

/** As an inet. */
function changed(text: string, change: (address: Address) => Partial<Address>): string {
  const address = parseAddress(text);
  return addressText({ ...address, ...change(address) }, false);
}

function ofOneFamily(left: string, right: string): readonly [Address, Address] {
  const [a, b] = [parseAddress(left), parseAddress(right)];
  if (a.version !== b.version) throw new PgError('22023');
  return [a, b];
}

function combined(left: string, right: string, combine: (a: bigint, b: bigint) => bigint): string {
  const [a, b] = ofOneFamily(left, right);
  const prefix = Math.max(a.prefix, b.prefix);
  return addressText({ version: a.version, bits: combine(a.bits, b.bits), prefix }, false);
}

function moved(text: string, by: bigint): string {
  return changed(text, ({ bits, version }) => {
    const sum = bits + by;
    if (sum < 0n || sum > allBits(version)) throw new PgError('22003');
    return { bits: sum };
  });
}

/** The smallest network that holds both. */
function merged(left: string, right: string): string {
  const [a, b] = ofOneFamily(left, right);
  let prefix = Math.min(a.prefix, b.prefix);
  while (!agree(a, b, prefix)) prefix--;
  return networkText({ ...a, prefix });
}

/** As a cidr. */
function networkText(address: Address): string {
  return addressText({ ...address, bits: address.bits & ~hostBits(address) }, true);
}

export const NETWORK: Family = {
  ...comparisons('network_', compareAddresses),
  ...tests({
    network_sub: (a, b) => within(a, b, false),
    network_subeq: (a, b) => within(a, b, true),
    network_sup: (a, b) => within(b, a, false),
    network_supeq: (a, b) => within(b, a, true),
    network_overlap: overlap,
    inet_same_family: (a, b) => parseAddress(a).version === parseAddress(b).version,
  }),
  ...strict('cidr', {
    network_network: (text) => networkText(parseAddress(text)),
    inet_merge: merged,
  }),
  ...strict('inet', {
    network_broadcast: (text) => changed(text, (address) => ({ bits: address.bits | hostBits(address) })),
    network_netmask: (text) =>
      changed(text, (address) => ({
        bits: allBits(address.version) & ~hostBits(address),
        prefix: widthOf(address.version),
      })),
    network_hostmask: (text) =>
      changed(text, (address) => ({ bits: hostBits(address), prefix: widthOf(address.version) })),
    inet_set_masklen: (text, length) =>
      changed(text, ({ version }) => {
        const prefix = length === '-1' ? widthOf(version) : Number(length);
        if (prefix < 0 || prefix > widthOf(version)) throw new PgError('22023');
        return { prefix };
      }),
    inetnot: (text) => changed(text, ({ bits, version }) => ({ bits: allBits(version) & ~bits })),
    inetand: (a, b) => combined(a, b, (one, other) => one & other),
    inetor: (a, b) => combined(a, b, (one, other) => one | other),
    inetpl: (text, by) => moved(text, BigInt(by)),
    inetmi_int8: (text, by) => moved(text, BigInt.asIntN(64, -BigInt(by))),
  }),
  ...strict('int8', {
    inetmi: (left, right) => {
      const [a, b] = ofOneFamily(left, right);
      const difference = a.bits - b.bits;
      if (difference < -INT8_END || difference >= INT8_END) throw new PgError('22003');
      return String(difference);
    },
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
