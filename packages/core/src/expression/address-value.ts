import { notReproduced } from './errors.js';

/** An `inet` or `cidr`. */
export interface Address {
  readonly version: 4 | 6;
  /** 32 or 128 bits. */
  readonly bits: bigint;
  /** The length of the network's prefix. */
  readonly prefix: number;
}

export function parseAddress(text: string): Address {
  const [host = '', prefix] = text.split('/');
  const version = host.includes(':') ? 6 : 4;
  const bits = version === 4 ? quad(host) : hextets(host);
  return { version, bits, prefix: prefix === undefined ? widthOf(version) : Number(prefix) };
}

export function widthOf(version: 4 | 6): number {
  return version === 4 ? 32 : 128;
}

function quad(host: string): bigint {
  const parts = host.split('.').map(Number);
  const valid = parts.length === 4 && parts.every((part) => part >= 0 && part <= 255);
  return valid ? parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) : notReproduced('this address');
}

/** `1::2`, its end perhaps as an IPv4 address. */
function hextets(host: string): bigint {
  const [before = '', after] = host.replace(/[\d.]*\.[\d.]*$/, asHextets).split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0');
  const parts = [...head, ...zeros, ...tail];
  if (parts.length !== 8 || !parts.every((part) => /^[\da-f]{1,4}$/i.test(part)))
    notReproduced('this address');
  return parts.reduce((sum, part) => sum * 65_536n + BigInt(`0x${part}`), 0n);
}

function asHextets(host: string): string {
  const bits = quad(host);
  return `${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`;
}

/** As an `inet` is printed; a `cidr` shows its prefix always. */
export function addressText(address: Address, isNetwork: boolean): string {
  const { version, prefix } = address;
  const host = version === 4 ? quadText(address.bits) : hextetsText(address.bits);
  return isNetwork || prefix < widthOf(version) ? `${host}/${prefix}` : host;
}

function quadText(bits: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.');
}

/** The longest run of zeros is left out; an address that holds one of version 4 shows it. (inet_net_ntop.c) */
function hextetsText(bits: bigint): string {
  const words = Array.from({ length: 8 }, (_, at) => Number((bits >> BigInt(16 * (7 - at))) & 0xffffn));
  const run = longestZeros(words);
  const holds4 = run.from === 0 && (run.length === 6 || (run.length === 5 && words[5] === 0xffff));
  const parts = words.map((word) => word.toString(16));
  if (holds4) parts.splice(6, 2, quadText(bits & 0xffff_ffffn));
  if (run.length < 2) return parts.join(':');
  return `${parts.slice(0, run.from).join(':')}::${parts.slice(run.from + run.length).join(':')}`;
}

function longestZeros(words: readonly number[]): { readonly from: number; readonly length: number } {
  let best = { from: -1, length: 0 };
  for (let from = 0; from < words.length; from++) {
    let length = 0;
    while (words[from + length] === 0) length++;
    if (length > best.length) best = { from, length };
  }
  return best;
}

/** The bits of the first `prefix` only. */
export function networkBits({ version, bits }: Address, prefix: number): bigint {
  return bits >> BigInt(widthOf(version) - prefix);
}

/** By version, by the shared part of the network, by its length, by all bits. (network.c, `network_cmp_internal`) */
export function compareAddresses(left: string, right: string): number {
  const a = parseAddress(left);
  const b = parseAddress(right);
  if (a.version !== b.version) return a.version - b.version;
  const shared = Math.min(a.prefix, b.prefix);
  return (
    order(networkBits(a, shared), networkBits(b, shared)) || a.prefix - b.prefix || order(a.bits, b.bits)
  );
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Text that is the same for equal addresses: a `cidr` of a single host shows its prefix, an `inet` does not. */
export function addressKey(text: string): string {
  if (text.includes('/')) return text;
  return `${text}/${text.includes(':') ? 128 : 32}`;
}
