import { must } from '@sluice/core/assert';
import { SluiceError } from '@sluice/core/errors';
import { CHANGES_MAX } from '@sluice/core/flow/look-ahead';
import { canonicalJson } from '@sluice/core/json';
import { LSN_ZERO, type Lsn } from '@sluice/core/lsn';
import type { Binding } from '@sluice/core/plan';
import type { Epoch } from '@sluice/core/position';
import type { ViewId } from '@sluice/core/wire';
import { parseTick } from '../planner/clock.js';
import type { Planned } from '../planner/planned.js';
import type { BacklogStage } from '../source/backlog.js';
import type { SourceListener } from '../source/source.js';
import type { Transaction } from '../source/transaction.js';
import { AlteredSchema } from './altered-schema.js';
import { Announced } from './announced.js';
import { Cost } from './cost.js';
import { viewsError } from './errors.js';
import type { ViewHostOptions, ViewStatus } from './host-options.js';
import { INABILITIES, type Inability } from './gear.js';
import { HeldBudget } from './held-budget.js';
import { gearOf, type HostedView } from './hosted-view.js';
import { IncrementalTemplate } from './incremental-template.js';
import { observedOf, statusOf, type ObservedViews } from './observed.js';
import { Outbox, type OutboxOptions } from './outbox.js';
import type { FromViews, Principal, QuerySpec, ToViews, ViewsPort } from './port.js';
import { RestingViews } from './resting-views.js';
import { RerunRounds } from './rerun-rounds.js';
import { RerunTemplate } from './rerun-template.js';
import { CLOCK_PREFIX, isAltering, REWRITE_PREFIX } from './marks.js';
import type { ChangesByTable } from './table-changes.js';
import { ShedTemplates } from './shed-templates.js';
import { TemplateIndex, type Template } from './template-index.js';
import { Ticks } from './ticks.js';
import { Publications, type Version } from './publications.js';
import { View } from './view.js';
import { ViewPlans } from './view-plans.js';
import { viewId } from './view-id.js';

/**
 * All views of one source: plans what is opened, gives it to its gear, and follows the stream.
 *
 *   source ──▶ transaction ──▶ incremental templates of the tables ──▶ deltas ─┐
 *                         └──▶ re-run templates: gaps, rounds ──────▶ deltas ─┴─▶ one batch a turn ─▶ sessions
 */
export class ViewHost implements ViewsPort, SourceListener {
  readonly #options: ViewHostOptions;
  readonly #views = new Map<ViewId, HostedView>();
  readonly #incremental = new Map<string, IncrementalTemplate>();
  readonly #rerun = new Map<string, RerunTemplate>();
  readonly #index: TemplateIndex;
  readonly #shed: ShedTemplates;
  readonly #rounds: RerunRounds;
  readonly #ticks: Ticks;
  readonly #budget: HeldBudget;
  readonly #resting = new RestingViews();
  /** What templates have cost that are gone. */
  readonly #past = new Cost();
  readonly #outbox: Outbox;
  readonly #publications = new Publications((entry) => this.#outbox.publish(entry));
  #stopped = false;
  #version: Version = { epoch: '', lsn: LSN_ZERO };
  readonly #altered: AlteredSchema<Template>;
  /** Of the transactions that are told next. */
  readonly #coming = new Announced((transaction: Transaction) => this.#index.changesOf(transaction));
  readonly #plans: ViewPlans;

  constructor(options: ViewHostOptions) {
    this.#options = options;
    this.#outbox = new Outbox({ now: () => this.#version, answer: (id, ref) => this.#answer(id, ref) });
    this.#index = new TemplateIndex(options.ancestors);
    this.#shed = new ShedTemplates(this.#index);
    const { source, clock } = options;
    this.#rounds = new RerunRounds({
      fetch: (fetchOptions, read) => source.fetch(fetchOptions, read),
      passed: (lsn) => source.passed(lsn),
      chain: () => source.chain,
      alterations: (template) => this.#altered.countOf(template),
      isHeld: (template) => this.#altered.isHeld(template),
      version: () => this.#version,
      runBatch: options.runBatch,
      touchedBy: (transaction) => this.#index.touchedBy(transaction, this.#index.changesOf(transaction)),
      statementTimeoutMs: options.statementTimeoutMs,
      intervalMs: options.rerunIntervalMs,
      restFactor: options.rerunRestFactor,
      now: () => clock.now(),
      sleep: (ms) => clock.sleep(ms),
      recovered: (error) => this.#recovered(error),
      onSlowed: (template, ms, restMs) =>
        options.onEvent({ kind: 'slowed', template: template.planned.template, ms, restMs }),
      onRun: (template, views, ms) => {
        template.cost.reruns.note(ms);
        options.onEvent({ kind: 'reran', template: template.planned.template, views, ms });
      },
      onTold: (template) => this.#budget.note(template),
    });
    this.#altered = new AlteredSchema(options.schemaKnown ?? (() => Promise.resolve()), () =>
      this.#rounds.wake(),
    );
    this.#plans = new ViewPlans({
      ...options,
      index: this.#index,
      altered: this.#altered,
      views: () => this.#views.values(),
      isOpen: (hosted) => this.#views.get(hosted.view.id) === hosted,
      asError: (error) => this.#asError(error),
      end: (hosted, error) => this.#end(hosted, error),
    });
    this.#budget = new HeldBudget(options.limits.heldBytesMax, (heldBytes) => {
      options.onEvent({ kind: 'full', heldBytes });
      this.#outbox.tell({ kind: 'full' });
    });
    this.#ticks = new Ticks(
      clock,
      (content) => void options.emit(CLOCK_PREFIX, content).catch((error: unknown) => this.#report(error)),
    );
  }

  // ------------------------------------------------------------ towards sessions

  listen(listener: (message: FromViews) => void): void {
    this.#outbox.listen(listener);
  }

  post(message: ToViews): void {
    switch (message.kind) {
      case 'open':
        void this.#open(message.ref, message.spec);
        break;
      case 'release':
        this.#release(message.view);
        break;
      case 'spared':
        this.#budget.spared();
        break;
      case 'snapshot':
        this.#outbox.ask(message.ref, message.view);
        break;
    }
  }

  status(): ViewStatus {
    const templates = [...this.#incremental.values(), ...this.#rerun.values()];
    return { ...statusOf(this.#views.values(), templates, this.#past), shed: this.#shed.viewCount };
  }

  /** What the open views of a plan have done. */
  observed({ template }: Planned): ObservedViews | null {
    return observedOf(this.#views.values(), template);
  }

  stop(): void {
    this.#stopped = true;
    this.#rounds.stop();
    this.#ticks.stop();
  }

  // ------------------------------------------------------------ from the source

  /** What they touch is read side by side, before one after the other is applied. */
  coming(transactions: readonly Transaction[]): void {
    // What many changes touch is out of the caches again when it comes to them, and is not to be read into memory twice.
    const few = transactions.filter(({ changes }) => changes.length <= CHANGES_MAX);
    for (const [template, changes] of this.#index.followers(this.#coming.announce(few))) {
      try {
        template.ahead(changes);
      } catch {
        // Whatever is wrong with it, applying it tells, and ends no more than has to end.
      }
    }
  }

  transaction(transaction: Transaction): void {
    const at: Version = { epoch: this.#options.source.epoch, lsn: transaction.lsn };
    this.#version = at;
    if (isAltering(transaction)) {
      this.#plans.alteredBy(transaction);
      const altered = this.#index.alteredBy(transaction);
      this.#altered.alter(altered);
      this.#shed.altered();
      for (const template of altered) if (template.kind === 'incremental') template.altered(transaction);
    }
    const changes = this.#coming.take(transaction);
    const { clock } = this.#options;
    let nowMs = clock.now();
    for (const template of this.#index.following(changes)) {
      this.#apply(template, transaction, changes, at);
      this.#shed.look(template);
      this.#budget.note(template);
      const startMs = nowMs;
      template.cost.touched(changes, template.tables);
      template.cost.transactions.note((nowMs = clock.now()) - startMs);
    }
    const touched = this.#index.touchedBy(transaction, changes);
    if (touched.size > 0) {
      for (const [template, of] of touched) {
        template.touched(transaction, of);
        template.cost.touched(changes, template.planned.reads);
        this.#shed.look(template);
      }
      this.#rounds.wake();
    }
    this.#outbox.ended(transaction);
  }

  progress(lsn: Lsn): void {
    if (lsn <= this.#version.lsn) return;
    this.#version = { epoch: this.#options.source.epoch, lsn };
    this.#outbox.flushSoon();
  }

  restart(epoch: Epoch, lsn: Lsn): void {
    const through = this.#version.lsn;
    for (const template of this.#incremental.values()) template.restart(through, lsn);
    for (const template of this.#rerun.values()) template.missAll(through, lsn);
    this.#outbox.flush();
    this.#version = { epoch, lsn };
    this.#rounds.wake();
    this.#outbox.flushSoon();
  }

  /** Reads wait by themselves (the source lets none begin); what is left to do is to follow less. */
  backlog(stage: BacklogStage): void {
    if (stage === 'shed') this.#shed.begin([...this.#incremental.values(), ...this.#rerun.values()]);
    if (stage === 'none') this.#altered.alter(this.#shed.end(this.#version.lsn));
  }

  /** @see ViewPlans.schemaChanged */
  schemaChanged(relations: ReadonlySet<number>, anything: boolean): Promise<void> {
    return this.#plans.schemaChanged(relations, anything);
  }

  /**
   * Rows were written anew by DDL that sends none of them. A commit of ours marks the place from which on what is held
   * is not trusted: answers stand before or after it, as with any change.
   */
  async rewritten(tables: ReadonlySet<number>): Promise<void> {
    const read = [...tables].filter((table) =>
      this.#options.ancestors(table).some((one) => this.#index.isRead(one)),
    );
    if (read.length > 0) await this.#options.emit(REWRITE_PREFIX, read.join(','));
  }

  // ------------------------------------------------------------ opening and closing

  async #open(ref: number, spec: QuerySpec): Promise<void> {
    try {
      const { planned, binding } = await this.#plans.now(spec);
      const tickMs = planned.readsClock ? parseTick(must(spec.tick, 'the planner asks for a tick')) : 0;
      const id = viewId(planned.template, binding, spec.principal, tickMs);
      // What was said before of a view of that name must not seem to be said of this one.
      this.#outbox.settle();
      const view = this.#views.get(id) ?? this.#create(id, planned, binding, spec, tickMs);
      view.view.references++;
      const { place } = view.view;
      this.#outbox.tell({ kind: 'opened', ref, view: id, place, shape: planned.shape, ...gearOf(view) });
    } catch (error) {
      this.#outbox.tell({ kind: 'refused', ref, error: this.#asError(error).toWire() });
    }
  }

  #create(id: ViewId, planned: Planned, binding: Binding, spec: QuerySpec, tickMs: number): HostedView {
    if (this.#views.size >= this.#options.limits.viewsMax) throw viewsError('too_many_views');
    const restMs = this.#resting.restMs(id, this.#options.clock.now());
    if (restMs > 0) throw viewsError('memory_full', `not read again for ${Math.ceil(restMs / 1000)} s`);
    const view = new View(id, planned.shape, spec, this.#publications);
    const hosted = this.#host(view, planned, binding, tickMs);
    this.#views.set(id, hosted);
    return hosted;
  }

  #host(view: View, planned: Planned, binding: Binding, tickMs: number): HostedView {
    if (planned.gear.kind === 'incremental') {
      const template = this.#incrementalTemplate(planned, planned.gear);
      return { kind: 'incremental', view, planned, template, one: template.open(view, binding) };
    }
    return this.#hostRerun(view, planned, planned, binding, tickMs);
  }

  /** @param planned what the view was opened with @param rerun how it is run again */
  #hostRerun(
    view: View,
    planned: Planned,
    rerun: Planned,
    binding: Binding,
    tickMs: number,
  ): Extract<HostedView, { kind: 'rerun' }> {
    const template = this.#rerunTemplate(rerun, view.spec.principal, tickMs);
    const one = template.open(view, binding, this.#version.lsn);
    if (tickMs > 0) this.#ticks.add(tickMs);
    this.#rounds.wake();
    return { kind: 'rerun', view, planned, template, one, tickMs };
  }

  #incrementalTemplate(
    planned: Planned,
    gear: Extract<Planned['gear'], { kind: 'incremental' }>,
  ): IncrementalTemplate {
    const existing = this.#incremental.get(planned.template);
    if (existing) return existing;
    const { source } = this.#options;
    const template = new IncrementalTemplate({
      planned,
      gear: this.#options.gearOf(planned, gear),
      publications: this.#publications,
      rowsPerViewMax: this.#options.limits.rowsPerViewMax,
      rowsHeldPerViewMax: this.#options.limits.rowsHeldPerViewMax,
      fetch: (read) =>
        this.#altered.fetch(template, () =>
          source.fetch({ tables: planned.reads, statementTimeoutMs: this.#options.statementTimeoutMs }, read),
        ),
      passed: (lsn) => source.passed(lsn),
      chain: () => source.chain + this.#altered.countOf(template),
      now: () => this.#version,
      ancestors: this.#options.ancestors,
      onHydration: (views) => this.#options.onEvent({ kind: 'hydrated', views }),
      clock: this.#options.clock,
      intervalMs: this.#options.rerunIntervalMs,
      onTaken: () => this.#budget.note(template),
      onGivenUp: ({ id }) => {
        this.#resting.gaveUp(id, this.#options.clock.now());
        this.#end(must(this.#views.get(id), 'a view that is held is open'), viewsError('memory_full'));
      },
      onMiss: (unsent) => this.#options.onEvent({ kind: 'missed', unsent: [...unsent] }),
      onRestless: () => this.#options.onEvent({ kind: 'restless', template: planned.template }),
      onFault: (error) => this.#distrust(template, error),
      recovered: (error) => this.#recovered(error),
      ...(gear.fallback === null ? {} : { handOver: (one, why) => void this.#handOver(one.view, why) }),
    });
    this.#incremental.set(planned.template, template);
    this.#index.add(template);
    return template;
  }

  /** What the engine cannot tell is Postgres's to answer from here on: the view goes on as it is, in the other gear. */
  async #handOver(view: View, why: Inability): Promise<void> {
    const hosted = this.#views.get(view.id);
    if (hosted?.view !== view || hosted.kind !== 'incremental') return;
    const { gear, template } = hosted.planned;
    if (gear.kind !== 'incremental' || gear.fallback === null) return;
    this.#options.onEvent({ kind: 'handed_over', template, why });
    try {
      const planned: Planned = {
        ...hosted.planned,
        // Constants are lifted from the one, and stand in the text of the other.
        template: `${template} ${JSON.stringify(gear.fallback)}`,
        gear: { kind: 'rerun', sql: gear.fallback, reason: INABILITIES[why] },
      };
      const binding = await this.#options.bind(planned, view.spec.params);
      if (this.#views.get(view.id) !== hosted) return;
      const { shown } = hosted.one;
      this.#unhost(hosted);
      const rehosted = this.#hostRerun(view, hosted.planned, planned, binding, 0);
      rehosted.template.keep(rehosted.one, shown);
      this.#views.set(view.id, rehosted);
      this.#outbox.publish({ kind: 'gear', place: view.place, ...gearOf(rehosted) });
      this.#budget.note(rehosted.template);
    } catch (error) {
      if (this.#views.get(view.id) === hosted) this.#end(hosted, this.#asError(error));
    }
  }

  #rerunTemplate(planned: Planned, principal: Principal, tickMs: number): RerunTemplate {
    const key = JSON.stringify([planned.template, principal.role, canonicalJson(principal.claims), tickMs]);
    const existing = this.#rerun.get(key);
    if (existing) return existing;
    const template = new RerunTemplate(key, planned, principal, {
      rowsPerViewMax: this.#options.limits.rowsPerViewMax,
      tickMs,
      hasRoom: (bytes) => this.#budget.hasRoom(template, bytes),
    });
    this.#rerun.set(key, template);
    this.#rounds.add(template);
    this.#index.add(template);
    return template;
  }

  #release(id: ViewId): void {
    const hosted = this.#views.get(id);
    if (!hosted || --hosted.view.references > 0) return;
    this.#views.delete(id);
    this.#unhost(hosted);
    hosted.view.close();
  }

  #unhost(hosted: HostedView): void {
    if (hosted.kind === 'incremental') {
      const { template } = hosted;
      template.close(hosted.one);
      this.#budget.closed(template);
      if (template.viewCount > 0) return;
      this.#incremental.delete(hosted.planned.template);
      this.#forget(template);
    } else {
      const { template } = hosted;
      template.close(hosted.one);
      this.#budget.closed(template);
      if (hosted.tickMs > 0) this.#ticks.remove(hosted.tickMs);
      if (template.viewCount > 0) return;
      this.#rerun.delete(template.key);
      this.#rounds.remove(template);
      this.#forget(template);
    }
  }

  #forget(template: Template): void {
    this.#past.add(template.cost);
    this.#index.remove(template);
    this.#shed.forget(template);
  }

  #end(hosted: HostedView, error: SluiceError): void {
    this.#views.delete(hosted.view.id);
    this.#unhost(hosted);
    hosted.view.end(error.toWire());
  }

  #answer(id: ViewId, ref: number): ReturnType<OutboxOptions['answer']> {
    const hosted = this.#views.get(id);
    if (hosted === undefined) return 'gone';
    if (hosted.kind === 'rerun') {
      if (hosted.template.ask(hosted.one, ref, this.#version.lsn)) this.#rounds.wake();
      return 'answered';
    }
    const rows = hosted.template.rowsOf(hosted.one);
    return rows !== null && hosted.view.answer(ref, rows) ? 'answered' : 'later';
  }

  /** An error that is not from the registry is ours: it is reported, and told without its words. */
  #asError(error: unknown): SluiceError {
    if (error instanceof SluiceError) return error;
    this.#options.onEvent({ kind: 'failed', error });
    return viewsError('internal_error');
  }

  // ------------------------------------------------------------ the stream's details

  /** An engine that fails an assertion is not trusted further: its views end, and clients subscribe anew. */
  #apply(
    template: IncrementalTemplate,
    transaction: Transaction,
    changes: ChangesByTable,
    at: Version,
  ): void {
    try {
      template.apply(transaction, changes, at);
    } catch (error) {
      this.#distrust(template, error);
    }
  }

  #distrust(template: IncrementalTemplate, error: unknown): void {
    this.#options.onEvent({ kind: 'failed', error });
    for (const hosted of this.#views.values())
      if (hosted.template === template) this.#end(hosted, viewsError('internal_error'));
  }

  /** After a stop nothing recovers: who waits is let go with the host. */
  async #recovered(error: unknown): Promise<void> {
    if (this.#stopped) return new Promise(() => undefined);
    this.#report(error);
    await this.#options.clock.sleep(200);
  }

  #report(error: unknown): void {
    this.#options.onEvent({ kind: 'fetch_failed', error });
  }
}
