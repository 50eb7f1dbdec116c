import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TcpProxy } from '../kit/tcp-proxy.js';
import { DISTURBANCES, type Scene } from './chaos.js';
import { Court } from './court.js';
import { Writers } from './writers.js';

test('the truth survives what a run does to Postgres: kill -9, a restart, commits that nobody sees yet', async () => {
  const court = await Court.open({ seed: 'crash', durable: true });
  const proxy = await TcpProxy.listen(() => null);
  try {
    let disturbed = false;
    const failures: string[] = [];
    const writers = new Writers({
      url: court.database.adminUrl,
      random: court.random.fork('writers'),
      steps: court.corpus.steps,
      sessions: 4,
      pauseMsMax: 10,
      failed: (message) => failures.push(message),
      disturbed: () => disturbed,
    });
    const scene: Scene = {
      primary: court.primary,
      database: court.database,
      products: [],
      databaseProxy: proxy,
      clientProxy: proxy,
      random: court.random.fork('chaos'),
      disturbing: (work) => work(),
    };
    writers.start();
    await sleep(1000);
    await DISTURBANCES['synchronous-wait']?.(scene);
    await sleep(500);
    expect(failures).toEqual([]);
    disturbed = true;
    for (const name of ['postgres-kill', 'postgres-restart', 'postgres-kill']) {
      await DISTURBANCES[name]?.(scene);
      await sleep(1000);
    }
    const before = writers.committed;
    await expect.poll(() => writers.committed).toBeGreaterThan(Math.max(before, 100));
    await writers.stop();
    expect(await court.verdict()).toEqual([]);
    expect(court.judge.counts.transactions).toBeGreaterThan(100);
  } finally {
    await proxy.close();
    await court.close();
  }
});
