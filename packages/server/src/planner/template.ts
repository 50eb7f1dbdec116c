import { hashOf } from '../registry/hash.js';
import type { Registry } from '../registry/registry.js';
import type { Dependencies } from './dependencies.js';
import type { Concern, Gear, ParamType } from './planned.js';
import type { Description } from './session.js';

/**
 * Names what a plan does. An incremental template is its plan, with all constants lifted, and the types of its
 * parameters; a re-run template is its text. Both with the hashes of what they read, so that DDL makes a new one: of
 * tables, of the views on the way, and of all functions, operators and casts where the application's own take part.
 */
export function templateOf(
  gear: Gear,
  concern: Concern | null,
  paramTypes: readonly ParamType[],
  dependencies: Dependencies,
  registry: Registry,
  columns: Description['columns'],
): string {
  const { reads, views } = dependencies;
  const tables = [...reads, ...views]
    .toSorted((a, b) => a - b)
    .map((oid) => registry.tables.get(oid)?.hash ?? '');
  const code = dependencies.userCode || dependencies.opaque !== null ? registry.globalHash : '';
  if (gear.kind === 'incremental')
    return hashOf([
      'incremental',
      gear.plan,
      gear.params.map((param) => param.type.name),
      // A table's plan names its columns.
      gear.plan.kind === 'table' ? [] : columns.map((column) => [column.name, column.typeOid]),
      tables,
    ]);
  return hashOf([
    'rerun',
    gear.sql.pieces.map((piece) => piece.trim()),
    gear.sql.refs,
    paramTypes.map((type) => type.name),
    columns.map((column) => [column.name, column.typeOid]),
    tables,
    code,
    // It tells of types and collations what the text does not.
    concern,
  ]);
}
