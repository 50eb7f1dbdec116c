import type { Duplex } from 'node:stream';
import { Sender } from 'ws';

declare module 'ws' {
  /** Public in `ws`, but not among its types. */
  export const Sender: {
    /** @returns the header, then the data */
    frame(data: Uint8Array, options: FrameOptions): Uint8Array[];
  };
}

/** As RFC 6455, section 5.2, has them. */
interface FrameOptions {
  readonly fin: boolean;
  readonly rsv1: boolean;
  readonly opcode: number;
  readonly mask: boolean;
  readonly readOnly: boolean;
}

/** A whole text message of a server, as it is. */
const TEXT: FrameOptions = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };

/** What is not more is copied together: that is less than what each further buffer of a write costs. */
const TOGETHER_BYTES_MAX = 16_384;

/** Writes text messages, a frame each, by one system call: what a connection is told in a turn mostly is a few small ones. */
export function writeFrames(raw: Duplex, messages: readonly Uint8Array[]): void {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (const message of messages) {
    for (const part of Sender.frame(message, TEXT)) parts.push(part);
    bytes += message.length;
  }
  if (bytes <= TOGETHER_BYTES_MAX) {
    raw.write(Buffer.concat(parts));
    return;
  }
  raw.cork();
  for (const part of parts) raw.write(part);
  raw.uncork();
}
