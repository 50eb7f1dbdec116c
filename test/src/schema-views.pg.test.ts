import { expect, test } from 'vitest';
import { onSchemaStage } from './kit/schema-stage.js';

// Joins through views whose definitions are replaced, the event trigger telling where: no client sees an old definition
// over new rows, or a new one over old.

test.each([true, false])('a view is replaced beneath a join, event trigger: %s', async (eventTrigger) => {
  await onSchemaStage(
    `CREATE TABLE project (id int PRIMARY KEY, name text);
     CREATE TABLE item (id int PRIMARY KEY, project int, rank int);
     CREATE VIEW shown AS SELECT id, project, rank FROM item WHERE rank >= 0;
     INSERT INTO project VALUES (1, 'one'); INSERT INTO item VALUES (1, 1, 0), (2, 1, 1)`,
    { eventTrigger },
    async ({ database, client }) => {
      const view = client.live({
        sql: `SELECT p.name, count(s.id) AS n, max(s.rank) AS top FROM project p JOIN shown s ON s.project = p.id GROUP BY p.name`,
        params: [],
      });
      const seen = new Set<string>();
      view.subscribe(() => {
        if (view.status === 'current') seen.add(JSON.stringify(view.rows));
      });
      const shows = async (n: string, top: string): Promise<string> => {
        const rows = [{ name: 'one', n, top }];
        await expect.poll(() => [view.status, view.rows]).toEqual(['current', rows]);
        expect(view.gear).toBe('incremental');
        return JSON.stringify(rows);
      };
      const wanted = [await shows('2', '1')];
      for (let turn = 2; turn <= 6; turn++) {
        // With the row and the old definition there would be one more, with the new one alone another highest.
        await database.sql(
          `BEGIN; CREATE OR REPLACE VIEW shown AS SELECT id, project, rank FROM item WHERE rank >= ${turn - 1};
         INSERT INTO item VALUES (${turn + 1}, 1, ${turn}); COMMIT`,
        );
        wanted.push(await shows('2', String(turn)));
      }
      if (eventTrigger) expect([...seen].toSorted()).toEqual(wanted.toSorted());
    },
  );
});
