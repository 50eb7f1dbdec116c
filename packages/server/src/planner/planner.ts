import { SluiceError } from '@sluice/core/errors';
import type { Binding } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import { analyse, readSchemas, type Analysis } from '../analysis/analyse.js';
import { NotExpressible } from '../analysis/expression-reasons.js';
import { hashOf } from '../registry/hash.js';
import type { Registry } from '../registry/registry.js';
import { HARMLESS_EXTENSIONS, type DeclaredFunction, type FunctionPolicy } from './allowed-functions.js';
import { bindValues } from './bind.js';
import { concernOf } from './blocks/concern.js';
import { planBlocks } from './blocks/plan-blocks.js';
import { NotABlock } from './blocks/reasons.js';
import { parseTick } from './clock.js';
import { DependencyFinder, StaleColumns, StaleRegistry, type Dependencies } from './dependencies.js';
import { plannerError } from './errors.js';
import { checkColumns, checkDefinitions } from './fresh-columns.js';
import { planIncremental } from './incremental.js';
import { keyColumnsOf } from './key-columns.js';
import { DEFAULT_LIMITS, type PlannerLimits } from './limits.js';
import { Limiter } from '../limiter.js';
import { parserReady, parseSelect, type Parsed } from './parse.js';
import { PlanCache } from './plan-cache.js';
import type { PlanFacts } from './plan-facts.js';
import type { Concern, Gear, ParamType, Planned } from './planned.js';
import { fromPostgres, isDataError } from './postgres-errors.js';
import { postgresPlan, type PostgresPlan } from './postgres-plan.js';
import { BeyondOneTable, NotIncremental, RERUN_REASONS, type RerunCause } from './reasons.js';
import { collectReferences, type References } from './references.js';
import { cutAtParams } from './rerun-sql.js';
import { inSession, type Connections, type Description, type Session } from './session.js';
import { templateOf } from './template.js';
import { baseTypeOf, decoderOf, typeNames, type TypeNames } from './types.js';

export interface PlannerOptions {
  /** Where questions about queries are asked: a pool of connections as the service role. */
  readonly connections: Connections;
  readonly registry: () => Registry;
  /** Reads the catalog anew: called once when a query names a table that the registry does not know yet. */
  readonly refresh?: () => Promise<void>;
  /** The role that `bind` asks Postgres as. Default: the service role itself. */
  readonly defaultRole?: string;
  /** Functions that ad-hoc SQL may call beyond the built-in list, `schema.name` or with argument types. */
  readonly allowedFunctions?: readonly string[];
  /** Extensions whose functions and operators ad-hoc SQL may use. Default: those of plain values, such as citext. */
  readonly allowedExtensions?: readonly string[];
  /** Functions that cannot be looked into, with the tables that they read (C22). */
  readonly functions?: Readonly<Record<string, DeclaredFunction>>;
  readonly limits?: Partial<PlannerLimits>;
  /** For each statement that the planner sends. Default 5,000. */
  readonly planTimeoutMs?: number;
  /** Questions asked at once: no more than there are connections. Default 2. */
  readonly planConcurrency?: number;
  /** Questions that wait for their turn; more are refused. Default 10,000. */
  readonly planQueueMax?: number;
  /** Plans kept. Default 1,000. */
  readonly plansMax?: number;
}

export interface PlanRequest {
  readonly principal: { readonly role: string; readonly claims: Readonly<Record<string, unknown>> };
  readonly adHoc: boolean;
  readonly tick?: string | undefined;
  /** The values that the query will be bound to; here only their number is checked. */
  readonly params: readonly PgText[];
}

/** How often the catalog is read anew for one plan, while the schema changes under it. */
const REFRESHES_MAX = 5;

/** Turns query texts into plans. Asks Postgres about every new text, never runs it. */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #limits: PlannerLimits;
  readonly #plans: PlanCache<Promise<Planned>>;
  readonly #turns: Limiter;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#plans = new PlanCache(options.plansMax ?? 1_000);
    this.#turns = new Limiter(options.planConcurrency ?? 2, options.planQueueMax ?? 10_000, () =>
      plannerError('planner_busy'),
    );
  }

  /** @throws a registered error: the query is refused, with the reason and a remedy. */
  async plan(sql: string, request: PlanRequest): Promise<Planned> {
    if (request.tick !== undefined) parseTick(request.tick);
    const planned = await this.#cached(sql, request);
    if (planned.readsClock && request.tick === undefined) throw plannerError('tick_missing');
    if (planned.paramTypes.length !== request.params.length)
      throw plannerError(
        'parameter_count',
        `The query has ${planned.paramTypes.length}, ${request.params.length} came.`,
      );
    return planned;
  }

  /** The plan of a text for someone who only wants to look at it: neither values nor a tick are asked for. */
  explain(sql: string, request: Pick<PlanRequest, 'principal' | 'adHoc'>): Promise<Planned> {
    return this.#cached(sql, { ...request, params: [] });
  }

  /**
   * What Postgres expects of running a query of which it is known by now that to plan it does no harm.
   * @returns null where it does not say
   */
  async estimate(sql: string, { principal }: Pick<PlanRequest, 'principal'>): Promise<PostgresPlan | null> {
    await parserReady();
    const text = parseSelect(sql, this.#limits).bytes.toString('utf8');
    const session = { ...principal, timeoutMs: this.#timeoutMs };
    return this.#turns.run(() =>
      inSession(this.#options.connections, session, async ({ run, describe }) => {
        const { paramTypes } = await describe(text);
        return postgresPlan(run, text, paramTypes.length);
      }).catch(() => null),
    );
  }

  /**
   * Values as Postgres prints them under this server's settings, so that equal values are equal texts.
   * @throws `parameter_invalid`.
   */
  bind(types: readonly ParamType[], values: readonly PgText[]): Promise<Binding> {
    const session = { role: this.#options.defaultRole ?? null, claims: {}, timeoutMs: this.#timeoutMs };
    return bindValues(types, values, this.#options.registry(), this.#limits, (work) =>
      this.#turns.run(() => inSession(this.#options.connections, session, work)),
    );
  }

  get #timeoutMs(): number {
    return this.#options.planTimeoutMs ?? 5_000;
  }

  async #cached(sql: string, request: PlanRequest): Promise<Planned> {
    const registry = this.#options.registry();
    const { role } = request.principal;
    const key = JSON.stringify([
      registry.hash,
      registry.globalHash,
      accessOf(registry),
      role,
      request.adHoc,
      sql,
    ]);
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const made = this.#make(sql, request);
    this.#plans.set(key, made);
    const forget = (): void => this.#plans.delete(key);
    // A refusal is not kept: what it complains of may be mended without the registry changing. Nor is a plan of a
    // later registry kept as one of this.
    made.then(() => {
      if (this.#options.registry() !== registry) forget();
    }, forget);
    return made;
  }

  async #make(sql: string, request: PlanRequest): Promise<Planned> {
    await parserReady();
    const parsed = parseSelect(sql, this.#limits);
    const references = collectReferences(parsed.select);
    for (let left = REFRESHES_MAX; ; left--) {
      try {
        return await this.#ask(parsed, references, request);
      } catch (error) {
        if (error instanceof StaleColumns && left === 0) throw plannerError('planning_failed', error.message);
        if (!(error instanceof StaleRegistry)) throw error;
        if (!(error instanceof StaleColumns) && left < REFRESHES_MAX)
          throw plannerError('relation_not_replicated', error.message);
        await this.#options.refresh?.();
      }
    }
  }

  async #ask(parsed: Parsed, references: References, request: PlanRequest): Promise<Planned> {
    const { role, claims } = request.principal;
    try {
      const session = { role, claims, timeoutMs: this.#timeoutMs };
      return await this.#turns.run(async () => {
        const draft = await inSession(this.#options.connections, session, (one) =>
          this.#inSession(one, parsed, references, request.adHoc),
        );
        return this.#finish(draft, parsed);
      });
    } catch (error) {
      if (error instanceof SluiceError || error instanceof StaleRegistry) throw error;
      throw plannerError('planning_failed', undefined, { cause: error });
    }
  }

  async #inSession(session: Session, parsed: Parsed, references: References, adHoc: boolean): Promise<Draft> {
    const registry = this.#options.registry();
    const text = parsed.bytes.toString('utf8');
    const description = await session.describe(text).catch((error: unknown) => {
      throw fromPostgres(error);
    });
    this.#checkSize(description);
    const oids = [...description.paramTypes, ...description.columns.map((column) => column.typeOid)];
    const finder = new DependencyFinder(session, registry, this.#policy(adHoc), this.#limits);
    await finder.references(references, oids, 0);
    const dependencies = finder.result();
    await checkColumns(session.run, registry, dependencies.reads);
    const names = await typeNames(session.run, [...oids, ...lifted(registry, dependencies)]);
    const paramTypes = description.paramTypes.map((oid) => paramType(oid, names));
    // Last: should it fail, the transaction is over. And only now is it known that planning runs nothing harmful.
    const dataError = await explain(session, text, description.paramTypes.length);
    const facts = { description, dependencies, registry, names, paramTypes, dataError };
    const gear = chooseGear(parsed, references, facts);
    // As the client role, whose bare names these are.
    const schemas = isAnalysed(gear, facts) ? await readSchemas(session.run) : null;
    return { facts, gear, schemas };
  }

  /** Outside of the session: to analyse takes a transaction of its own. */
  async #finish({ facts, gear, schemas }: Draft, parsed: Parsed): Promise<Planned> {
    const { description, dependencies, registry, names, paramTypes } = facts;
    const { gear: chosen, concern } =
      schemas === null || gear.kind !== 'rerun'
        ? { gear, concern: null }
        : await this.#analysed(parsed, facts, gear, schemas);
    return {
      template: templateOf(chosen, concern, paramTypes, dependencies, registry, description.columns),
      shape: {
        columns: description.columns.map((column) => ({
          name: column.name,
          type: names.get(column.typeOid)?.display ?? 'text',
          decoder: decoderOf(registry, column.typeOid),
        })),
        ordered: isOrdered(parsed),
      },
      paramTypes,
      reads: [...dependencies.reads],
      readsAnything: dependencies.opaque !== null,
      views: [...dependencies.views],
      userCode: dependencies.userCode || dependencies.userOperators.length > 0,
      keyColumns: keyColumnsOf(parsed.select, description.columns, registry, dependencies),
      readsClock: dependencies.readsClock,
      concern,
      gear: chosen,
    };
  }

  async #analysed(
    parsed: Parsed,
    facts: PlanFacts,
    rerun: RerunGear,
    schemas: readonly string[],
  ): Promise<{ readonly gear: Gear; readonly concern: Concern | null }> {
    const { registry, dependencies, paramTypes } = facts;
    const analysis = await analyse(this.#options.connections, {
      sql: parsed.bytes.toString('utf8'),
      paramTypes: paramTypes.map(({ name }) => name),
      schemas,
      timeoutMs: this.#timeoutMs,
      verify: async (run) => {
        await checkColumns(run, registry, dependencies.reads);
        await checkDefinitions(run, registry, dependencies.views);
      },
    });
    if (analysis.kind === 'unavailable') {
      if (analysis.transient) throw plannerError('planning_failed', analysis.reason);
      const reason = dependencies.readsClock
        ? rerun.reason
        : `${RERUN_REASONS.not_analysed} (${analysis.reason})`;
      return { gear: { ...rerun, reason }, concern: null };
    }
    const gear = dependencies.readsClock ? rerun : blocksOr(rerun, analysis, facts, isOrdered(parsed));
    return { gear, concern: concernOf(analysis.query, analysis.facts, registry) };
  }

  #checkSize(description: Description): void {
    const { paramsMax, columnsMax } = this.#limits;
    if (description.paramTypes.length > paramsMax)
      throw plannerError('query_too_large', `paramsMax: more than ${paramsMax}`);
    if (description.columns.length > columnsMax)
      throw plannerError('query_too_large', `columnsMax: more than ${columnsMax}`);
  }

  #policy(adHoc: boolean): FunctionPolicy {
    return {
      adHoc,
      allowed: new Set(this.#options.allowedFunctions ?? []),
      allowedExtensions: new Set(this.#options.allowedExtensions ?? HARMLESS_EXTENSIONS),
      declared: new Map(Object.entries(this.#options.functions ?? {})),
    };
  }
}

/** A plan but for what Postgres's own analysis may add to it. */
interface Draft {
  readonly facts: PlanFacts;
  readonly gear: Gear;
  /** The client role's search_path, where the analysis may help. */
  readonly schemas: readonly string[] | null;
}

type RerunGear = Extract<Gear, { kind: 'rerun' }>;
type Analysed = Extract<Analysis, { kind: 'analysed' }>;

/** What is beyond one table may be blocks, unless code of the application takes part, the clock, or an error. */
function whyNoBlocks({ dependencies, dataError }: PlanFacts): RerunCause | null {
  const { reads, opaque, userCode, userOperators, readsClock } = dependencies;
  if (opaque !== null || userCode || userOperators.length > 0) return 'user_code';
  if (dataError) return 'data_error';
  if (readsClock) return 'clock';
  return reads.size === 0 ? 'no_table' : null;
}

/** Postgres resolves it: to plan it as blocks, or, where it reads the clock, to know which changes concern it. */
function isAnalysed(gear: Gear, facts: PlanFacts): boolean {
  const why = whyNoBlocks(facts);
  return gear.kind === 'rerun' && facts.dependencies.reads.size > 0 && (why === null || why === 'clock');
}

/** The query as blocks, or run again with the reason why not. */
function blocksOr(rerun: RerunGear, analysis: Analysed, facts: PlanFacts, ordered: boolean): Gear {
  try {
    const gear = planBlocks(analysis, facts, ordered, rerun.sql);
    const types = gear.params.map(({ type }) => type);
    if (castsParams(facts, types)) throw new NotIncremental('user_code');
    return gear;
  } catch (error) {
    if (error instanceof NotIncremental || error instanceof NotABlock || error instanceof NotExpressible)
      return { ...rerun, reason: error.reason };
    if (error instanceof SluiceError || error instanceof StaleRegistry) throw error;
    // A fault of ours: the query is as good as before.
    const words = error instanceof Error ? error.message : String(error);
    return { ...rerun, reason: `${RERUN_REASONS.not_planned} (${words})` };
  }
}

function isOrdered(parsed: Parsed): boolean {
  return parsed.select.sortClause !== undefined;
}

/** Who may see what: a plan made for a role holds while privileges do. */
function accessOf(registry: Registry): string {
  let access = accessHashes.get(registry);
  if (access === undefined) {
    access = registry.rightsHash + hashOf([...registry.tables.values()].map((table) => table.accessHash));
    accessHashes.set(registry, access);
  }
  return access;
}
const accessHashes = new WeakMap<Registry, string>();

/**
 * Asks Postgres to plan the statement with NULL for every parameter: checks the role's privileges on every
 * relation and column. @returns whether a constant makes it raise an error; then privileges are checked when it runs.
 */
async function explain(session: Session, text: string, params: number): Promise<boolean> {
  try {
    await session.run(
      `EXPLAIN ${text}`,
      Array.from({ length: params }, () => null),
    );
    return false;
  } catch (error) {
    if (isDataError(error)) return true;
    throw fromPostgres(error);
  }
}

function paramType(oid: number, names: ReadonlyMap<number, TypeNames>): ParamType {
  return { oid, name: names.get(oid)?.castable ?? 'pg_catalog.text' };
}

/** Types that lifted constants may take: of the columns of the tables, their bases and arrays, and of numbers. */
function lifted(registry: Registry, dependencies: Dependencies): readonly number[] {
  const oids = new Set<number>([16, 20, 21, 23, 25, 701, 1700]);
  if (dependencies.reads.size !== 1) return [...oids];
  for (const table of dependencies.reads)
    for (const column of registry.tables.get(table)?.columns ?? []) oids.add(column.typeOid);
  // A set is walked in the order of insertion, what is added on the way included: domains over domains.
  for (const oid of oids) {
    const base = registry.types.get(oid)?.baseOid ?? null;
    if (base !== null) oids.add(base);
  }
  for (const type of registry.types.values())
    if (type.elementOid !== null && oids.has(type.elementOid)) oids.add(type.oid);
  return [...oids];
}

function chooseGear(parsed: Parsed, references: References, facts: PlanFacts): Gear {
  try {
    const gear = planIncremental(parsed.select, facts);
    const types = gear.params.map((param) => param.type);
    if (castsParams(facts, types)) throw new BeyondOneTable();
    return gear;
  } catch (error) {
    if (!(error instanceof BeyondOneTable || error instanceof NotIncremental)) throw error;
    const lateral =
      !facts.dependencies.aggregatesParams &&
      !references.paramsAggregated &&
      !castsParams(facts, facts.paramTypes);
    // Where blocks are tried next they say why not.
    const words = RERUN_REASONS[whyNoBlocks(facts) ?? 'not_planned'];
    const reason =
      facts.dependencies.opaque === null
        ? words
        : `${words} It is run again at every transaction: ${facts.dependencies.opaque}.`;
    return { kind: 'rerun', sql: cutAtParams(parsed, references.params, lateral), reason };
  }
}

/** In a table of bindings the values are texts that are cast; a cast of the application would take them for its own. */
function castsParams({ dependencies, registry }: PlanFacts, types: readonly ParamType[]): boolean {
  return types.some(
    ({ oid }) => dependencies.textCasts.has(oid) || dependencies.textCasts.has(baseTypeOf(registry, oid)),
  );
}
