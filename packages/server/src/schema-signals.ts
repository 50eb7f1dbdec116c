import type { Lsn } from '@sluice/core/lsn';
import type { Epoch } from '@sluice/core/position';
import type { Registry, Table } from './registry/registry.js';
import { DDL_PREFIX } from './views/marks.js';
import type { BacklogStage } from './source/backlog.js';
import type { SourceListener } from './source/source.js';
import type { Relation, Transaction } from './source/transaction.js';

/** What is asked to read the catalog again. */
interface Catalog {
  registry(): Registry;
  /** @param by what announced it; null: anything may have happened */
  readAgain(by: Transaction | null): void;
}

/**
 * Listens to the stream for signs that the schema has changed, so that nobody waits for the poll: the message of
 * the event trigger, and a table that the stream describes otherwise than the registry does.
 */
export class SchemaSignals implements SourceListener {
  readonly #next: SourceListener;
  readonly #catalog: Catalog;
  /** Descriptions that were compared already; the source makes a new object for each Relation message. */
  readonly #seen = new WeakSet<Relation>();

  constructor(next: SourceListener, catalog: Catalog) {
    this.#next = next;
    this.#catalog = catalog;
  }

  transaction(transaction: Transaction): void {
    if (this.#announces(transaction)) this.#catalog.readAgain(transaction);
    this.#next.transaction(transaction);
  }

  progress(lsn: Lsn): void {
    this.#next.progress(lsn);
  }

  restart(epoch: Epoch, lsn: Lsn): void {
    this.#catalog.readAgain(null);
    this.#next.restart(epoch, lsn);
  }

  coming(transactions: readonly Transaction[]): void {
    this.#next.coming(transactions);
  }

  backlog(stage: BacklogStage): void {
    this.#next.backlog(stage);
  }

  #announces(transaction: Transaction): boolean {
    let changed = transaction.messages.some(({ prefix }) => prefix === DDL_PREFIX);
    for (const { relation } of transaction.changes) {
      if (this.#seen.has(relation)) continue;
      this.#seen.add(relation);
      changed ||= differs(relation, this.#catalog.registry().tables.get(relation.oid));
    }
    return changed;
  }
}

/** The stream leaves out generated columns, and names the others in the table's order. */
function differs(relation: Relation, table: Table | undefined): boolean {
  if (table === undefined || table.name !== relation.name || table.schema !== relation.schema) return true;
  const columns = table.columns.filter((column) => column.generated === 'no');
  return (
    columns.length !== relation.columns.length ||
    relation.columns.some(
      ({ name, typeOid }, at) => columns[at]?.name !== name || columns[at]?.typeOid !== typeOid,
    )
  );
}
