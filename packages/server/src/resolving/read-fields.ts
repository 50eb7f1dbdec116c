import type { Fields, ValueShape } from '@sluice/core/shape';
import { z } from 'zod';

/*
 * Fields that another process made: what it sends is checked like any other input, as clients trust it.
 */

const DEPTH_MAX = 20;

const scalar = ['boolean', 'integer', 'bigint', 'float', 'json', 'bytes', 'text'] as const;
const kinds = [...scalar, 'number', 'whole', 'string', 'date', 'plain', 'numbers'] as const;
const kind = z.union([z.enum(kinds), z.templateLiteral(['array:', z.enum(scalar)])]);

function value(depth: number): z.ZodType<ValueShape> {
  if (depth === 0) return kind;
  const inner = z.lazy(() => value(depth - 1));
  return z.union([
    kind,
    z.strictObject({ array: inner }),
    z.strictObject({ numbers: z.array(z.string()) }),
    z.strictObject({ list: inner }),
    z.strictObject({ tuple: z.array(z.tuple([z.string(), inner])) }),
  ]);
}

const path = z.array(z.string()).min(1).max(DEPTH_MAX);

const fields = z.strictObject({
  columns: z.array(z.strictObject({ path, value: value(DEPTH_MAX) })),
  absent: z.array(z.strictObject({ path, columns: z.array(z.int().min(0)).min(1) })).optional(),
});

/** @returns null when it is nothing of the kind */
export function readFields(input: unknown): Fields | null {
  const parsed = fields.safeParse(input);
  if (!parsed.success) return null;
  const { columns, absent } = parsed.data;
  return { columns, ...(absent === undefined ? {} : { absent }) };
}
