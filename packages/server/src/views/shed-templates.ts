import type { Lsn } from '@sluice/core/lsn';
import type { Template, TemplateIndex } from './template-index.js';

/**
 * C19: while the stream catches up, templates all of whose views are behind are not followed: their changes are
 * neither sorted nor decoded, and nothing of them is kept. They are behind already, and hydrate anew, by difference,
 * when it is over. No read that began before may be used after: the source sees to that.
 */
export class ShedTemplates {
  readonly #index: TemplateIndex;
  readonly #shed = new Set<Template>();
  #active = false;
  #altered = false;

  constructor(index: TemplateIndex) {
    this.#index = index;
  }

  get viewCount(): number {
    return [...this.#shed].reduce((sum, template) => sum + template.viewCount, 0);
  }

  begin(all: Iterable<Template>): void {
    this.#active = true;
    this.#altered = false;
    for (const template of all) this.look(template);
  }

  /** The template may have fallen behind. */
  look(template: Template): void {
    if (!this.#active || !template.isBehind) return;
    this.#index.remove(template);
    this.#shed.add(template);
  }

  /** The schema was: of which templates, nobody asks those that are shed. */
  altered(): void {
    this.#altered = true;
  }

  /** It has no views any more. */
  forget(template: Template): void {
    this.#shed.delete(template);
  }

  /** From `now` on they are followed again. @returns those whose schema may have been altered meanwhile */
  end(now: Lsn): readonly Template[] {
    const ended = [...this.#shed];
    this.#active = false;
    this.#shed.clear();
    for (const template of ended) {
      template.resume(now);
      this.#index.add(template);
    }
    return this.#altered ? ended : [];
  }
}
