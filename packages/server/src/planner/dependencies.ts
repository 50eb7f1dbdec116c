import type { SelectStmt } from 'libpg-query';
import type { Registry } from '../registry/registry.js';
import {
  FIRST_USER_OID,
  functionsByOid,
  lookUp,
  recordedDependencies,
  viewDefinition,
  type FoundFunction,
  type FoundOperator,
  type FoundRelation,
  type Lookup,
} from './catalog-lookup.js';
import { declarationOf, judgeFunction, type FunctionPolicy } from './allowed-functions.js';
import { CLOCK_TYPES, readsPresent } from './clock.js';
import { plannerError } from './errors.js';
import { readBody } from './function-body.js';
import { parseSelect } from './parse.js';
import type { PlannerLimits } from './limits.js';
import { collectReferences, type Named, type NamedFunction, type References } from './references.js';
import type { Session } from './session.js';

/** Everything that an answer depends on. */
export interface Dependencies {
  /** Tables, through views and functions. */
  readonly reads: ReadonlySet<number>;
  /** Views on the way. */
  readonly views: ReadonlySet<number>;
  /** Why some function could not be seen into; null when all could. */
  readonly opaque: string | null;
  readonly readsClock: boolean;
  /** An aggregate is called on parameters alone: the statement cannot stand inside LATERAL. */
  readonly aggregatesParams: boolean;
  /** Functions or casts that are not Postgres's own take part. */
  readonly userCode: boolean;
  /** Operators that are not Postgres's own and bear a name that the statement uses. */
  readonly userOperators: readonly FoundOperator[];
  /** Types that a cast of the application makes of text: such a text is not read by the type's own input. */
  readonly textCasts: ReadonlySet<number>;
  /** Names of the functions called in the statement itself that may be aggregates, and that may return sets. */
  readonly aggregates: ReadonlySet<string>;
  readonly setFunctions: ReadonlySet<string>;
}

/** Postgres knows a relation that the registry does not: it is newer, or it is temporary. */
export class StaleRegistry extends Error {}

/** A relation that both know has other columns in Postgres than in the registry. */
export class StaleColumns extends StaleRegistry {}

/** `text` in pg_type.dat. */
const TEXT = 25;

/** How deep views and functions may lie in each other. */
const DEPTH_MAX = 64;

/**
 * Finds what a statement depends on: resolves the names of its tree the way Postgres does where that is certain,
 * and otherwise takes every candidate. Too many dependencies cost a re-run, too few would cost the truth.
 */
export class DependencyFinder {
  readonly #session: Session;
  readonly #registry: Registry;
  readonly #policy: FunctionPolicy;
  readonly #limits: PlannerLimits;
  readonly #reads = new Set<number>();
  readonly #views = new Set<number>();
  readonly #functions = new Set<number>();
  readonly #domains = new Set<number>();
  #opaque: string | null = null;
  #readsClock = false;
  #aggregatesParams = false;
  #userCode = false;
  readonly #userOperators: FoundOperator[] = [];
  readonly #textCasts = new Set<number>();
  readonly #aggregates = new Set<string>();
  readonly #setFunctions = new Set<string>();

  constructor(session: Session, registry: Registry, policy: FunctionPolicy, limits: PlannerLimits) {
    this.#session = session;
    this.#registry = registry;
    this.#policy = policy;
    this.#limits = limits;
  }

  result(): Dependencies {
    return {
      reads: this.#reads,
      views: this.#views,
      opaque: this.#opaque,
      readsClock: this.#readsClock,
      aggregatesParams: this.#aggregatesParams,
      userCode: this.#userCode,
      userOperators: this.#userOperators,
      textCasts: this.#textCasts,
      aggregates: this.#aggregates,
      setFunctions: this.#setFunctions,
    };
  }

  /** @param types of parameters and results, as Postgres described them. @throws what is refused. */
  async statement(select: SelectStmt, types: readonly number[], depth = 0): Promise<void> {
    await this.references(collectReferences(select), types, depth);
  }

  async references(references: References, types: readonly number[], depth: number): Promise<void> {
    if (depth > DEPTH_MAX) throw plannerError('query_too_large', 'views or functions nested too deeply');
    if (references.relations.length > this.#limits.relationsMax)
      throw plannerError('query_too_large', `relationsMax: more than ${this.#limits.relationsMax}`);
    const lookup = await lookUp(this.#session.run, references);
    const relations = references.relations.map((named) => resolveRelation(named, lookup, this.#registry));
    for (const relation of relations) await this.relation(relation, depth);
    const universe = new TypeUniverse(this.#registry, [...types, ...this.#namedTypes(references, lookup)]);
    for (const relation of relations) universe.addTable(relation.oid);
    await this.#callsOf(references, lookup, universe, depth);
    await this.#operatorsOf(references, lookup, universe, depth);
    await this.#domainsOf(universe, depth);
    this.#clockOf(references, relations, universe);
  }

  /** A relation by name or as Postgres recorded it. */
  async relation(relation: FoundRelation, depth: number): Promise<void> {
    if (this.#reads.has(relation.oid) || this.#views.has(relation.oid)) return;
    const table = this.#registry.tables.get(relation.oid);
    const name = `${relation.schema}.${relation.name}`;
    if (table === undefined && relation.oid < FIRST_USER_OID)
      throw plannerError('relation_not_replicated', `${name} is part of the system catalog.`);
    if (table === undefined) throw new StaleRegistry(`${name} is not known.`);
    if (table.kind === 'view') {
      this.#views.add(relation.oid);
      await this.#view(relation.oid, depth + 1);
      return;
    }
    if (table.kind !== 'table' && table.kind !== 'partitioned')
      throw plannerError('relation_not_replicated', `${name} is a ${table.kind}.`);
    if (table.persistence !== 'permanent')
      throw plannerError('relation_not_replicated', `${name} is ${table.persistence}.`);
    if (!table.published) throw plannerError('relation_not_replicated', `${name} is not in the publication.`);
    if (table.rowSecurity) throw plannerError('row_security_refused', name);
    this.#reads.add(relation.oid);
    for (const child of table.inheritedBy) {
      const inherits = this.#registry.tables.get(child);
      if (inherits !== undefined)
        await this.relation(
          { oid: child, schema: inherits.schema, name: inherits.name, kind: 'r', persistence: 'p' },
          depth,
        );
    }
  }

  async #view(oid: number, depth: number): Promise<void> {
    const definition = await viewDefinition(this.#session.run, oid);
    const limits = { ...this.#limits, sqlBytesMax: Number.MAX_SAFE_INTEGER };
    const columns = this.#registry.tables.get(oid)?.columns ?? [];
    await this.statement(
      parseSelect(definition, limits).select,
      columns.map((column) => column.typeOid),
      depth,
    );
    await this.#recorded('pg_rewrite', oid, depth);
  }

  /** What Postgres itself wrote down when the object was made: resolved operators, casts and functions among it. */
  async #recorded(catalog: 'pg_rewrite' | 'pg_proc' | 'pg_type', oid: number, depth: number): Promise<void> {
    const recorded = await recordedDependencies(this.#session.run, catalog, oid);
    for (const relation of recorded.relations) await this.relation(relation, depth);
    const unseen = recorded.functions.filter((f) => f >= FIRST_USER_OID && !this.#functions.has(f));
    if (unseen.length === 0) return;
    for (const found of await functionsByOid(this.#session.run, unseen)) await this.#function(found, depth);
  }

  async #callsOf(
    references: References,
    lookup: Lookup,
    universe: TypeUniverse,
    depth: number,
  ): Promise<void> {
    for (const call of references.functions) {
      const candidates = candidatesOf(call, lookup, universe);
      if (depth === 0) this.#noteKinds(call, candidates);
      if (candidates.length === 0 && !isSyntax(call, lookup))
        throw plannerError('function_unknown', call.name);
      for (const found of candidates) await this.#function(found, depth);
    }
    for (const found of lookup.functions) {
      if (!references.attributes.has(found.name) || !found.takesRow || !visible(found, lookup)) continue;
      if (found.args.length - found.defaults > 1 || universe.hasColumn(found.name)) continue;
      if (found.oid < FIRST_USER_OID && !isCallableOnRow(found)) continue;
      await this.#function(found, depth);
    }
  }

  #noteKinds(call: NamedFunction, candidates: readonly FoundFunction[]): void {
    if (candidates.some((found) => found.kind === 'a')) {
      this.#aggregates.add(call.name);
      if (call.paramsOnly) this.#aggregatesParams = true;
    }
    if (candidates.some((found) => found.returnsSet)) this.#setFunctions.add(call.name);
  }

  async #operatorsOf(
    references: References,
    lookup: Lookup,
    universe: TypeUniverse,
    depth: number,
  ): Promise<void> {
    const oids = new Set<number>();
    for (const operator of lookup.operators) {
      if (!universe.mayTake([operator.left, operator.right])) continue;
      oids.add(operator.function);
      this.#userOperators.push(operator);
    }
    const written = this.#castTo(this.#namedTypes(references, lookup));
    for (const cast of lookup.casts) {
      if (cast.source === TEXT) this.#textCasts.add(cast.target);
      const applies =
        cast.context === 'i' ||
        (cast.context === 'a' && depth > 0) ||
        written === 'all' ||
        written.has(cast.target);
      if (!applies || !universe.mayTake([cast.source, cast.target])) continue;
      oids.add(cast.function);
      this.#userCode = true;
    }
    if (oids.size === 0) return;
    for (const found of await functionsByOid(this.#session.run, [...oids])) await this.#judged(found, depth);
  }

  /**
   * What a cast to these types may cast to: also the base of a domain, the elements of an array, the fields of a
   * row; everything when a type is not known. Nothing else needs the explicit kind of cast: what a function returns is assigned.
   */
  #castTo(types: readonly number[]): ReadonlySet<number> | 'all' {
    const targets = new Set(types);
    // A set is walked in the order of insertion, what is added on the way included.
    for (const oid of targets) {
      const type = this.#registry.types.get(oid);
      if (type === undefined) return 'all';
      if (type.kind === 'composite') {
        const row = [...this.#registry.tables.values()].find(
          (table) => table.schema === type.schema && table.name === type.name,
        );
        if (row === undefined) return 'all';
        for (const field of row.columns) targets.add(field.typeOid);
      }
      for (const part of [type.baseOid, type.elementOid]) if (part !== null) targets.add(part);
    }
    return targets;
  }

  /** A domain's CHECK may call anything. */
  async #domainsOf(universe: TypeUniverse, depth: number): Promise<void> {
    for (const oid of universe.domains()) {
      if (this.#domains.has(oid)) continue;
      this.#domains.add(oid);
      await this.#recorded('pg_type', oid, depth);
    }
  }

  async #function(found: FoundFunction, depth: number): Promise<void> {
    if (found.oid >= FIRST_USER_OID) this.#userCode = true;
    await this.#judged(found, depth);
  }

  async #judged(found: FoundFunction, depth: number): Promise<void> {
    if (this.#functions.has(found.oid)) return;
    this.#functions.add(found.oid);
    const kind = judgeFunction(found, this.#policy);
    if (kind === 'clock') this.#readsClock = true;
    if (kind === 'clock' || kind === 'builtin') return;
    if (kind === 'declared') return this.#declared(found, depth);
    await this.#recorded('pg_proc', found.oid, depth + 1);
    const body = await readBody(this.#session.run, found);
    if (body.kind === 'opaque') this.#opaque ??= `${found.signature}: ${body.reason}`;
    if (body.kind === 'statements')
      for (const references of body.statements) await this.references(references, [], depth + 1);
  }

  async #declared(found: FoundFunction, depth: number): Promise<void> {
    for (const name of declarationOf(found, this.#policy)?.reads ?? []) {
      const table = [...this.#registry.tables.values()].find((t) => `${t.schema}.${t.name}` === name);
      if (table === undefined)
        throw plannerError('table_unknown', `${name}, declared as read by ${found.signature}`);
      await this.relation(
        { oid: table.oid, schema: table.schema, name: table.name, kind: 'r', persistence: 'p' },
        depth,
      );
    }
  }

  #namedTypes(references: References, lookup: Lookup): readonly number[] {
    const found = references.types.flatMap((named) =>
      lookup.types.filter((type) => type.name === named.name && visible(type, lookup, named.schema)),
    );
    const catalogType = found.find((type) => /^_?reg[a-z]+$/.test(type.name) && type.schema === 'pg_catalog');
    if (this.#policy.adHoc && catalogType !== undefined)
      throw plannerError('type_not_allowed', catalogType.name);
    return found.map((type) => type.oid);
  }

  #clockOf(references: References, relations: readonly FoundRelation[], universe: TypeUniverse): void {
    if (references.clock) this.#readsClock = true;
    if (!universe.hasAny(CLOCK_TYPES)) return;
    const isTime = (column: string): boolean => {
      const known = relations.flatMap((relation) =>
        (this.#registry.tables.get(relation.oid)?.columns ?? []).filter((c) => c.name === column),
      );
      return known.length === 0 || known.some((c) => CLOCK_TYPES.has(universe.baseOf(c.typeOid)));
    };
    if (references.strings.some((constant) => readsPresent(constant, isTime))) this.#readsClock = true;
  }
}

/** @throws `table_unknown`. */
function resolveRelation(named: Named, lookup: Lookup, registry: Registry): FoundRelation {
  const found = lookup.relations.filter((relation) => relation.name === named.name);
  const schemas = named.schema === null ? lookup.path : [named.schema];
  for (const schema of schemas) {
    const relation = found.find((candidate) => candidate.schema === schema);
    if (relation !== undefined) return relation;
  }
  const elsewhere = [...registry.tables.values()].find((table) => table.name === named.name);
  const hint = elsewhere === undefined ? '' : ` (there is ${elsewhere.schema}.${elsewhere.name})`;
  throw plannerError(
    'table_unknown',
    `${named.schema === null ? '' : `${named.schema}.`}${named.name}${hint}`,
  );
}

function visible(found: { readonly schema: string }, lookup: Lookup, schema: string | null = null): boolean {
  return schema === null ? lookup.path.includes(found.schema) : found.schema === schema;
}

/** Functions that a call may mean: by name, schema and number of arguments; types decide only where they must differ. */
function candidatesOf(call: NamedFunction, lookup: Lookup, universe: TypeUniverse): readonly FoundFunction[] {
  return lookup.functions.filter((found) => {
    if (found.name !== call.name || !visible(found, lookup, call.schema)) return false;
    const least = found.args.length - found.defaults - (found.variadic ? 1 : 0);
    const fits = call.args >= least && (found.variadic || call.args <= found.args.length);
    return fits && universe.mayTake(found.args);
  });
}

/** `COALESCE` and the like never reach here; a type name used as a cast (`int4(x)`) does. */
function isSyntax(call: NamedFunction, lookup: Lookup): boolean {
  return lookup.functions.some((found) => found.name === call.name) || call.args === 1;
}

/** Row to JSON and its kind. Of Postgres's own one-argument functions of any row these alone are allowed. */
function isCallableOnRow(found: FoundFunction): boolean {
  return found.kind === 'f' && found.volatility !== 'i';
}

/**
 * The types that may occur in a statement: of columns, parameters, results and casts. An overload that takes a
 * user's or an uncommon type can only be meant where such a value can come from.
 */
class TypeUniverse {
  readonly #registry: Registry;
  readonly #types = new Set<number>();
  readonly #columns = new Set<string>();

  constructor(registry: Registry, types: readonly number[]) {
    this.#registry = registry;
    for (const type of types) this.add(type);
  }

  add(oid: number): void {
    if (this.#types.has(oid)) return;
    this.#types.add(oid);
    const type = this.#registry.types.get(oid);
    for (const part of [type?.baseOid, type?.elementOid])
      if (part !== undefined && part !== null) this.add(part);
  }

  addTable(oid: number): void {
    for (const column of this.#registry.tables.get(oid)?.columns ?? []) {
      this.add(column.typeOid);
      this.#columns.add(column.name);
    }
  }

  hasColumn(name: string): boolean {
    return this.#columns.has(name);
  }

  hasAny(types: ReadonlySet<number>): boolean {
    return [...this.#types].some((type) => types.has(type));
  }

  /** Whether values of all these argument types may occur. Common types always may: constants and results have them. */
  mayTake(types: readonly number[]): boolean {
    return types.every((oid) => {
      if (oid === 0 || this.#types.has(oid)) return true;
      const type = this.#registry.types.get(oid);
      if (oid < FIRST_USER_OID) return !UNCOMMON.has(oid);
      return (
        type === undefined ||
        type.kind === 'composite' ||
        (type.kind === 'array' && this.mayTake([type.elementOid ?? 0]))
      );
    });
  }

  domains(): readonly number[] {
    return [...this.#types].filter((oid) => this.#registry.types.get(oid)?.kind === 'domain');
  }

  baseOf(oid: number): number {
    const base = this.#registry.types.get(oid)?.baseOid ?? null;
    return base === null ? oid : this.baseOf(base);
  }
}

/** xid, cid, tid, xid8, pg_lsn, snapshots, aclitem, refcursor, timetz: no constant or common function yields one by accident. */
const UNCOMMON: ReadonlySet<number> = new Set([27, 28, 29, 1266, 5069, 3220, 2970, 5038, 1033, 1034, 1790]);
