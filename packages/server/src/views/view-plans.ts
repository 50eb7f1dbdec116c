import type { SluiceError } from '@sluice/core/errors';
import type { Binding } from '@sluice/core/plan';
import type { Planned } from '../planner/planned.js';
import type { Transaction } from '../source/transaction.js';
import type { AlteredSchema } from './altered-schema.js';
import { viewsError } from './errors.js';
import type { ViewHostOptions } from './host-options.js';
import type { HostedView } from './hosted-view.js';
import { ACCESS_PREFIX, DDL_PREFIX } from './marks.js';
import type { QuerySpec } from './port.js';
import type { Template, TemplateIndex } from './template-index.js';

/** How long plans are made anew before who waits for one is no longer shown as current. */
const PROMPT_MS = 250;

export interface ViewPlansOptions extends Pick<
  ViewHostOptions,
  'plan' | 'bind' | 'schemaKnown' | 'emit' | 'clock'
> {
  readonly index: TemplateIndex;
  readonly altered: Pick<AlteredSchema<Template>, 'isHeld'>;
  readonly views: () => Iterable<HostedView>;
  readonly isOpen: (hosted: HostedView) => boolean;
  readonly asError: (error: unknown) => SluiceError;
  readonly end: (hosted: HostedView, error: SluiceError) => void;
}

/** Plans of views: of queries as they are opened, and anew when the schema has changed. */
export class ViewPlans {
  readonly #options: ViewPlansOptions;
  /** Queries that are being planned, and the DDL that the stream has told of since. */
  #planning = 0;
  #alterations: Transaction[] = [];
  /** How often `schemaChanged` told of other definitions. */
  #schemas = 0;

  constructor(options: ViewPlansOptions) {
    this.#options = options;
  }

  /** Under the schema that the stream has told of: until the view is there, nobody plans it anew when that changes. */
  async now(spec: QuerySpec): Promise<{ readonly planned: Planned; readonly binding: Binding }> {
    this.#planning++;
    try {
      for (;;) {
        await this.#options.schemaKnown?.();
        const before = this.#schemas;
        const told = this.#alterations.length;
        const planned = await this.#options.plan(spec);
        const binding = await this.#options.bind(planned, spec.params);
        const meant = this.#alterations.slice(told).some((one) => this.#options.index.alters(one, planned));
        if (before === this.#schemas && !meant) return { planned, binding };
      }
    } finally {
      if (--this.#planning === 0) this.#alterations = [];
    }
  }

  /** The stream has told of DDL. */
  alteredBy(transaction: Transaction): void {
    if (this.#planning > 0) this.#alterations.push(transaction);
  }

  /**
   * Definitions or rights changed: of the relations named, or where `anything` of functions, operators and casts. A
   * new one may be meant by a name that meant one of Postgres's own, so that no plan is beyond it. Plans are made anew;
   * a view whose plan is another one then ends, and clients subscribe again. Of those that go on under their plan, what
   * Postgres computed may be refused now (a function reads what its caller no longer may), and an error may be mended:
   * a commit of ours marks the place from which on these are looked at again (C23).
   */
  async schemaChanged(relations: ReadonlySet<number>, anything: boolean): Promise<void> {
    if (anything || relations.size > 0) this.#schemas++;
    const affected = [...this.#options.views()].filter(({ planned }) => {
      return anything || [...planned.reads, ...planned.views].some((relation) => relations.has(relation));
    });
    const waiting = new Set(affected);
    const replanned = Promise.all(
      affected.map((one) => this.#replan(one).finally(() => waiting.delete(one))),
    );
    await Promise.race([replanned, this.#options.clock.sleep(PROMPT_MS)]);
    if ([...waiting].some(({ template }) => !this.#options.altered.isHeld(template)))
      await this.#tell(relations, anything);
    await replanned;
    const again = affected.filter(
      ({ kind, view }) => !view.isClosed && (kind === 'rerun' || !view.isValid || view.isFailed),
    );
    const tables = new Set(again.flatMap(({ planned }) => planned.reads));
    if (again.length > 0) await this.#options.emit(ACCESS_PREFIX, [...tables].join(','));
  }

  /**
   * Postgres does not say what queries mean now, as while a table is locked. What the event trigger would have told is
   * told by us, at a later place: from there on nothing of them is shown as current, or read, until plans are known.
   */
  async #tell(relations: ReadonlySet<number>, anything: boolean): Promise<void> {
    if (relations.size > 0) await this.#options.emit(DDL_PREFIX, [...relations].join(','));
    if (anything) await this.#options.emit(DDL_PREFIX, '');
  }

  /** A view whose query means the same columns goes on under its new plan; any other ends with the reason. */
  async #replan(hosted: HostedView): Promise<void> {
    const { isOpen, end, asError } = this.#options;
    try {
      const planned = await this.#options.plan(hosted.view.spec);
      if (planned.template === hosted.planned.template || !isOpen(hosted)) return;
      throw viewsError('query_replanned');
    } catch (error) {
      if (isOpen(hosted)) end(hosted, asError(error));
    }
  }
}
