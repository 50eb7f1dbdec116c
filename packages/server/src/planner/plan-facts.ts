import type { Registry } from '../registry/registry.js';
import type { Dependencies } from './dependencies.js';
import type { ParamType } from './planned.js';
import type { Description } from './session.js';
import type { TypeNames } from './types.js';

/** What is known of a statement when its gear is chosen. */
export interface PlanFacts {
  readonly description: Description;
  readonly dependencies: Dependencies;
  readonly registry: Registry;
  /** Of every type that a parameter or a lifted constant may take. */
  readonly names: ReadonlyMap<number, TypeNames>;
  readonly paramTypes: readonly ParamType[];
  /** Planning raised an error of the data. */
  readonly dataError: boolean;
}
