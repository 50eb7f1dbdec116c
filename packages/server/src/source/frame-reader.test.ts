import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader } from './frame-reader.js';

function frame(type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + payload.length, payload.length + 4);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt32BE(payload.length + 4, 1);
  bytes.set(payload, 5);
  return bytes;
}

const anyFrame = fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 40 }));

test('messages come out whole and in order however the socket cuts them, and stay as they were', () => {
  fc.assert(
    fc.property(fc.array(anyFrame), fc.array(fc.integer({ min: 1, max: 30 })), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(([type, payload]) => frame(type, payload)));
      const seen: { type: number; view: Buffer; copy: Buffer }[] = [];
      const reader = new FrameReader((type, buffer, start, end) => {
        const view = buffer.subarray(start, end);
        seen.push({ type, view, copy: Buffer.from(view) });
      });
      let at = 0;
      for (let turn = 0; at < bytes.length; turn++) {
        const size = cuts[turn % Math.max(1, cuts.length)] ?? bytes.length;
        reader.push(Buffer.from(bytes.subarray(at, at + size)));
        at += size;
      }
      expect(seen.map(({ type, copy }) => [type, [...copy]])).toEqual(
        frames.map(([type, payload]) => [type, [...payload]]),
      );
      for (const { view, copy } of seen) expect(view.equals(copy)).toBe(true);
    }),
  );
});

test('an impossible length is an error, not an endless wait', () => {
  const reader = new FrameReader(() => undefined, 1000);
  expect(() => reader.push(Buffer.from([100, 0, 0, 0, 3]))).toThrow(
    expect.objectContaining({ code: 'stream_malformed' }),
  );
  const second = new FrameReader(() => undefined, 1000);
  second.push(Buffer.from([100, 0]));
  expect(() => second.push(Buffer.from([0, 4, 0]))).toThrow(
    expect.objectContaining({ code: 'stream_malformed' }),
  );
});
