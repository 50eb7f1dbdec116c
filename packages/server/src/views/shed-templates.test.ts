import { asLsn } from '@sluice/core/lsn';
import { expect, test } from 'vitest';
import { RERUN_PLAN } from '../testing/plans.js';
import { RerunTemplate } from './rerun-template.js';
import { ShedTemplates } from './shed-templates.js';
import { TemplateIndex } from './template-index.js';
import { Publications } from './publications.js';
import { View } from './view.js';

const principal = { role: 'r', claims: {} };
const OPTIONS = { rowsPerViewMax: 10, tickMs: 0, hasRoom: () => true };

function shedding(): { shed: ShedTemplates; index: TemplateIndex; behind: RerunTemplate } {
  const index = new TemplateIndex((table) => [table]);
  const behind = new RerunTemplate('key', RERUN_PLAN, principal, OPTIONS);
  const spec = { sql: '', params: [], principal, adHoc: false };
  behind.open(new View('v', RERUN_PLAN.shape, spec, new Publications(() => undefined)), [], asLsn(1n));
  index.add(behind);
  return { shed: new ShedTemplates(index), index, behind };
}

test('what is shed is not asked about changes, and followed again afterwards', () => {
  const { shed, index, behind } = shedding();
  shed.begin([behind]);
  expect([index.isRead(1), shed.viewCount]).toEqual([false, 1]);
  expect(shed.end(asLsn(5n))).toEqual([]);
  expect([index.isRead(1), shed.viewCount]).toEqual([true, 0]);
});

test('DDL meanwhile could not be told to what was shed: it is told at the end, once', () => {
  const { shed, behind } = shedding();
  shed.begin([behind]);
  shed.altered();
  expect(shed.end(asLsn(5n))).toEqual([behind]);
  shed.begin([behind]);
  expect(shed.end(asLsn(6n))).toEqual([]);
});

test('a template that has lost its last view is not followed again', () => {
  const { shed, index, behind } = shedding();
  shed.begin([behind]);
  shed.forget(behind);
  expect([shed.end(asLsn(5n)), index.isRead(1)]).toEqual([[], false]);
});
