import type { ServerMessage } from '@sluice/core/wire';

export function encode(message: ServerMessage): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}
