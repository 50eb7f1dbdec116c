import { addressText as printed } from '@sluice/core/expression/address-value';

const IPV4 = 2;
const IPV6 = 3;

/** Of an inet or cidr: the family, the length of the prefix, the address. A cidr always shows its prefix. */
export function addressText(content: Uint8Array, isNetwork: boolean): string | undefined {
  const [family, prefix = 0] = content;
  const size = family === IPV4 ? 4 : family === IPV6 ? 16 : 0;
  const address = content.subarray(2, 2 + size);
  if (size === 0 || address.length < size) return undefined;
  const bits = address.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return printed({ version: family === IPV4 ? 4 : 6, bits, prefix }, isNetwork);
}
