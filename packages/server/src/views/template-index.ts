import type { Planned } from '../planner/planned.js';
import type { Transaction } from '../source/transaction.js';
import type { IncrementalTemplate } from './incremental-template.js';
import { alteredBy, altersOther, changesAccess, isTickOf } from './marks.js';
import type { Concerned } from './concerned-views.js';
import type { RerunTemplate, RerunView } from './rerun-template.js';
import { changesByTable, OneTable, type Ancestors, type ChangesByTable } from './table-changes.js';

export type Template = IncrementalTemplate | RerunTemplate;

const NO_TEMPLATES: readonly IncrementalTemplate[] = [];
const NO_RERUNS: ReadonlyMap<RerunTemplate, Concerned<RerunView>> = new Map();

/** Templates by what they read: who is touched by a transaction is looked up, never searched for (P7). */
export class TemplateIndex {
  readonly #ancestors: Ancestors;
  readonly #incremental = new Map<number, readonly IncrementalTemplate[]>();
  readonly #rerun = new Map<number, Set<RerunTemplate>>();
  /** Templates that cannot name their tables, or read the clock: asked at every transaction. */
  readonly #anything = new Set<RerunTemplate>();
  /** By view that they read through. */
  readonly #through = new Map<number, Set<Template>>();
  /** Templates that code of users takes part in, or definitions that it may. */
  readonly #code = new Set<Template>();

  readonly isRead = (table: number): boolean => this.#incremental.has(table) || this.#rerun.has(table);

  constructor(ancestors: Ancestors) {
    this.#ancestors = ancestors;
  }

  add(template: Template): void {
    const { reads, readsAnything, views, userCode } = template.planned;
    for (const view of views) addTo(this.#through, view, template);
    if (userCode || views.length > 0) this.#code.add(template);
    if (template.kind === 'incremental') {
      for (const table of template.tables)
        this.#incremental.set(table, [...new Set(this.#incremental.get(table)).add(template)]);
      return;
    }
    for (const table of reads) addTo(this.#rerun, table, template);
    if (readsAnything || template.tickMs > 0) this.#anything.add(template);
  }

  remove(template: Template): void {
    for (const view of template.planned.views) removeFrom(this.#through, view, template);
    this.#code.delete(template);
    if (template.kind === 'incremental') {
      for (const table of template.tables) {
        const left = this.#incremental.get(table)?.filter((one) => one !== template) ?? [];
        if (left.length > 0) this.#incremental.set(table, left);
        else this.#incremental.delete(table);
      }
      return;
    }
    for (const table of template.planned.reads) removeFrom(this.#rerun, table, template);
    this.#anything.delete(template);
  }

  /** Incremental templates of the tables, each once. */
  following(tables: ChangesByTable): readonly IncrementalTemplate[] {
    if (tables instanceof OneTable) return this.#incremental.get(tables.table) ?? NO_TEMPLATES;
    let found: readonly IncrementalTemplate[] = NO_TEMPLATES;
    for (const table of tables.keys()) {
      const own = this.#incremental.get(table);
      if (own === undefined) continue;
      found = found.length === 0 ? own : [...new Set([...found, ...own])];
    }
    return found;
  }

  /** Of what several transactions changed, what each incremental template follows. */
  followers(
    transactions: readonly ChangesByTable[],
  ): ReadonlyMap<IncrementalTemplate, readonly ChangesByTable[]> {
    const followers = new Map<IncrementalTemplate, ChangesByTable[]>();
    for (const changes of transactions)
      for (const template of this.following(changes)) {
        const own = followers.get(template);
        if (own === undefined) followers.set(template, [changes]);
        else own.push(changes);
      }
    return followers;
  }

  /** Templates that DDL of the transaction may mean, as the event trigger tells it. */
  alteredBy(transaction: Transaction): Set<Template> {
    const altered = new Set<Template>();
    for (const relation of alteredBy(transaction)) {
      for (const table of this.#ancestors(relation)) {
        for (const template of this.#incremental.get(table) ?? []) altered.add(template);
        for (const template of this.#rerun.get(table) ?? []) altered.add(template);
      }
      for (const template of this.#through.get(relation) ?? []) altered.add(template);
    }
    if (altersOther(transaction)) for (const template of this.#code) altered.add(template);
    return altered;
  }

  /** Whether DDL of the transaction may mean a plan, as `alteredBy` says it of templates. */
  alters(transaction: Transaction, { reads, views, userCode }: Planned): boolean {
    if (altersOther(transaction) && (userCode || views.length > 0)) return true;
    for (const relation of alteredBy(transaction)) {
      if (views.includes(relation)) return true;
      if (this.#ancestors(relation).some((table) => reads.includes(table))) return true;
    }
    return false;
  }

  /** A transaction's changes, of the tables that somebody reads. */
  changesOf(transaction: Transaction): ChangesByTable {
    return changesByTable(transaction, this.#ancestors, this.isRead);
  }

  /** Templates whose answers the transaction may change, and of which views: by what it wrote, or as a tick of their clock. */
  touchedBy(
    transaction: Transaction,
    changes: ChangesByTable,
  ): ReadonlyMap<RerunTemplate, Concerned<RerunView>> {
    if (this.#rerun.size === 0 && this.#anything.size === 0 && transaction.messages.length === 0)
      return NO_RERUNS;
    const touched = new Map<RerunTemplate, Concerned<RerunView>>();
    const add = (templates: Iterable<Template>): void => {
      for (const template of templates) if (template.kind === 'rerun') touched.set(template, 'all');
    };
    for (const view of alteredBy(transaction)) add(this.#through.get(view) ?? []);
    if (altersOther(transaction)) add(this.#code);
    const access = changesAccess(transaction);
    const wrote = transaction.changes.length > 0 || transaction.bulk.size > 0 || access;
    for (const template of this.#anything) {
      if (template.planned.readsAnything ? wrote : isTickOf(transaction, template.tickMs))
        touched.set(template, 'all');
    }
    for (const table of changes.keys()) {
      for (const template of this.#rerun.get(table) ?? []) {
        if (!touched.has(template)) touched.set(template, access ? 'all' : template.concernedBy(changes));
      }
    }
    return touched;
  }
}

function addTo<T>(sets: Map<number, Set<T>>, key: number, value: T): void {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
}

function removeFrom<T>(sets: Map<number, Set<T>>, key: number, value: T): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}
