import { propertyNames } from '@sluice/core/row-decoder';
import type { Absent, Field, Fields, ShapeColumn, ValueShape } from '@sluice/core/shape';

/*
 * What a builder promises of its rows is known when it is made; the types of its columns only when Postgres has
 * described the query. So a plan of fields is made first, and becomes the shape's fields once the types are there.
 */

/** How the value of a column comes to be; null when no description of it can travel. */
export type ValuePlan = (column: ShapeColumn) => ValueShape | null;

export interface FieldPlan {
  readonly columns: readonly { readonly path: readonly string[]; readonly value: ValuePlan }[];
  readonly absent: readonly Absent[];
}

/** Makes the fields of the columns that a query has; null when the default mapping gives just that. */
export type FieldsOf = (columns: readonly ShapeColumn[]) => Fields | null;

/** @throws what `fail` throws: of a column that cannot travel, or when the columns are others than planned */
export function fieldsOf(plan: FieldPlan, fail: (detail: string) => never): FieldsOf {
  return (columns) => {
    if (columns.length !== plan.columns.length) {
      return fail(`the builder has ${plan.columns.length} columns, the query ${columns.length}`);
    }
    const fields = plan.columns.map(({ path, value }, index): Field => {
      const column = columns[index];
      const shape = column === undefined ? null : value(column);
      if (column === undefined || shape === null) {
        return fail(`column ${path.join('.')} of type ${column?.type}: ${NO_WAY}`);
      }
      return { path, value: simplest(shape, column) };
    });
    const absent = plan.absent.length === 0 ? {} : { absent: plan.absent };
    return isDefault(fields, columns) && plan.absent.length === 0 ? null : { columns: fields, ...absent };
  };
}

export const NO_WAY =
  'what the builder makes of it in JavaScript cannot travel to clients; select it as text (`::text`), or leave it out';

/** The default decoder, where it gives the same. */
function simplest(shape: ValueShape, { decoder }: ShapeColumn): ValueShape {
  const same = shape === 'number' && (decoder === 'integer' || decoder === 'float');
  if (same) return decoder;
  return typeof shape === 'object' && 'array' in shape && `array:${String(shape.array)}` === decoder
    ? decoder
    : shape;
}

function isDefault(fields: readonly Field[], columns: readonly ShapeColumn[]): boolean {
  const names = propertyNames({ columns, ordered: true });
  return fields.every(
    ({ path, value }, index) =>
      path.length === 1 && path[0] === names[index] && value === columns[index]?.decoder,
  );
}
