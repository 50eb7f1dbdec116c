import type { Planned } from '../planner/planned.js';
import type { IncrementalTemplate } from './incremental-template.js';
import type { IncrementalView } from './incremental-view.js';
import type { Geared } from './port.js';
import type { RerunTemplate, RerunView } from './rerun-template.js';
import type { View } from './view.js';

/** A view, and the template that maintains it. */
export type HostedView =
  | {
      readonly kind: 'incremental';
      readonly view: View;
      readonly planned: Planned;
      readonly template: IncrementalTemplate;
      readonly one: IncrementalView;
    }
  | {
      readonly kind: 'rerun';
      readonly view: View;
      readonly planned: Planned;
      readonly template: RerunTemplate;
      readonly one: RerunView;
      readonly tickMs: number;
    };

/** How a view is maintained now: it may have been handed over since it was planned. */
export function gearOf(hosted: HostedView): Geared {
  if (hosted.kind === 'incremental') return { gear: 'incremental' };
  const { gear } = hosted.template.planned;
  return { gear: 'rerun', ...(gear.kind === 'rerun' ? { reason: gear.reason } : {}) };
}
