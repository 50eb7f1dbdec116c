import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { CLIENT_ROLE } from '@sluice/server/testing/postgres';
import { expect, test } from 'vitest';
import { TcpProxy } from '../kit/tcp-proxy.js';
import { Chaos } from './chaos.js';
import { Court } from './court.js';
import { HandHost } from './hand-host.js';
import { bind } from './query.js';
import { PortWatcher } from './port-watcher.js';
import { lsnOf } from './wal-stream.js';
import { Writers } from './writers.js';

/*
 * The ring of source and views: no planner, no sessions, no sockets. Every version that the views publish is
 * compared at the position it carries, and every valid view at the end of every batch.
 */
const SECONDS = Number(process.env['SLUICE_JUDGE_SECONDS'] ?? 12);
/** A slow machine is given as long as it takes to compare so much. */
const SECONDS_MAX = 10 * SECONDS;
const COMPARED = 1000;

test(
  'source and views, both gears, through crashes of Postgres and its connections',
  async () => {
    const court = await Court.open({ seed: process.env['SLUICE_JUDGE_SEED'] ?? 'views ring', durable: true });
    const proxy = await TcpProxy.listen(() => ({ host: '127.0.0.1', port: court.primary.port }));
    const url = new URL(court.database.url);
    url.port = String(proxy.port);
    const hand = await HandHost.start(url.toString(), court.database.adminUrl, court.corpus.queries);
    const failures: string[] = [];
    const watcher = new PortWatcher('port', hand.host, court.judge, { role: CLIENT_ROLE, claims: {} });
    let disturbed = 0;
    const writers = new Writers({
      url: court.database.adminUrl,
      random: court.random.fork('writers'),
      steps: court.corpus.steps,
      sessions: 4,
      pauseMsMax: 30,
      failed: (message) => failures.push(message),
      disturbed: () => disturbed > 0,
    });
    const chaos = new Chaos(
      {
        primary: court.primary,
        database: court.database,
        products: [],
        databaseProxy: proxy,
        clientProxy: proxy,
        random: court.random.fork('chaos'),
        disturbing: async (work) => {
          disturbed++;
          await work();
          setTimeout(() => disturbed--, 2000);
        },
      },
      ['walsender-end', 'database-cut', 'synchronous-wait', 'postgres-kill', 'database-stall'],
      [1500, 4000],
      () => undefined,
    );
    const random = court.random.fork('views');
    try {
      court.judge.writing = true;
      writers.start();
      chaos.start();
      for (const bound of court.corpus.always) watcher.open(bound);
      for (const query of court.corpus.queries) watcher.open(bind(query, query.params?.(random) ?? []));
      const few = (): boolean => court.judge.counts.comparisons <= COMPARED;
      for (let second = 0; second < SECONDS || (few() && second < SECONDS_MAX); second++) {
        await Promise.race([sleep(1000), court.judge.ended]);
        for (let i = 0; i < 4; i++) {
          watcher.churn((count) => random.int(count));
          watcher.open(court.corpus.draw(random));
          await sleep(50);
        }
      }
      await chaos.stop();
      await writers.stop();
      court.judge.writing = false;
      await court.nudge();
      const end = lsnOf(await court.end());
      await court.nudge();
      await expect.poll(() => watcher.position >= end).toBe(true);
      await expect.poll(() => watcher.valid[0] - watcher.valid[1]).toBe(0);
      expect(await court.verdict()).toEqual([]);
      const { wrongs, counts } = court.judge;
      console.log(JSON.stringify({ ...counts, chaos: chaos.counts, gears: court.judge.gears }));
      expect(wrongs).toEqual([]);
      expect(watcher.refusals).toEqual([]);
      expect([...failures, ...hand.faults]).toEqual([]);
      expect(counts.unjudged).toBe(0);
      expect(counts.comparisons).toBeGreaterThan(COMPARED);
    } finally {
      await chaos.stop().catch(() => undefined);
      await writers.stop();
      watcher.close();
      await hand.stop();
      await proxy.close();
      await court.close();
    }
  },
  SECONDS_MAX * 1500 + 4 * PATIENCE_MS,
);
