const IPV4 = 2;
const IPV6 = 3;

/** Of an inet or cidr: the family, the length of the prefix, the address. A cidr always shows its prefix. */
export function addressText(content: Uint8Array, isNetwork: boolean): string | undefined {
  const [family, prefix = 0] = content;
  const address = content.subarray(2);
  const size = family === IPV4 ? 4 : family === IPV6 ? 16 : 0;
  if (size === 0 || address.length < size) return undefined;
  const host = family === IPV4 ? address.subarray(0, 4).join('.') : hextets(address);
  return isNetwork || prefix < size * 8 ? `${host}/${prefix}` : host;
}

/** The longest run of zeros is left out; an address that holds one of version 4 shows it. (inet_net_ntop.c) */
function hextets(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0));
  const run = longestZeros(words);
  const holds4 = run.from === 0 && (run.length === 6 || (run.length === 5 && words[5] === 0xffff));
  const parts = words.map((word) => word.toString(16));
  if (holds4) parts.splice(6, 2, bytes.subarray(12, 16).join('.'));
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
