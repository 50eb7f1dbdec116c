import { expect } from 'vitest';

export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

/** Reads an event stream as it comes, comments left out. */
export async function* eventsOf(url: string): AsyncGenerator<StreamEvent> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      text = text.slice(end + 2);
      const data = fields.get('data');
      if (data === undefined) continue;
      const { event = '', id = '' } = Object.fromEntries(fields);
      yield { event, id, data: JSON.parse(data) as Record<string, unknown> };
    }
  }
}
