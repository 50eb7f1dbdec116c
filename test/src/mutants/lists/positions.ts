import type { Mutant } from '../mutant.js';

const SOURCE = 'packages/server/src/source';
const SESSIONS = 'packages/server/src/sessions';
const FAILURES = `${SOURCE}/failures.pg.test.ts`;
const SNAPSHOTS = `${SOURCE}/snapshots.pg.test.ts`;
const INVISIBLE = `${SOURCE}/invisible-commits.pg.test.ts`;
const PASSING = `${SOURCE}/passing.test.ts`;
const SESSIONS_TEST = `${SESSIONS}/sessions.test.ts`;
const RESUME_TEST = 'packages/client/src/resume.test.ts';

/** C1 to C3: positions, passing, quiet. */
export const POSITIONS: readonly Mutant[] = [
  {
    breaks: 'C1: the epoch does not hold the timeline',
    file: `${SOURCE}/postgres-source.ts`,
    find: 'const epoch = `${identity.systemId}.${identity.timeline}`;',
    replace: 'const epoch = `${identity.systemId}.1`;',
    caughtBy: [FAILURES, 'a new timeline (failover, point-in-time recovery): a new epoch, under either slot'],
  },
  {
    breaks: 'C1: a server that went back in time goes on in its epoch, lower',
    file: `${SOURCE}/postgres-source.ts`,
    find: 'const back = sameServer && (walEnd < this.position || from < this.position);',
    replace: 'const back = false;',
    caughtBy: [FAILURES, 'a server that went back in time without a new timeline: an epoch of its own'],
  },
  {
    breaks: 'C1: what a slot sends again is told again, below what was told',
    file: `${SOURCE}/stream-reader.ts`,
    find: 'if (transaction === null || transaction.lsn <= this.#position) return;',
    replace: 'if (transaction === null) return;',
    caughtBy: [`${SOURCE}/stream-reader.test.ts`, 'C1: what a slot sends again, at or below what was told'],
  },
  {
    breaks: 'C1: sessions compare LSNs without their epochs',
    file: `${SESSIONS}/spot.ts`,
    find: 'return ((BigInt(epoch) << LSN_BITS) | lsn) as Spot;',
    replace: 'return lsn as bigint as Spot;',
    caughtBy: [`${SESSIONS}/resuming.test.ts`, 'another epoch: a lower LSN is ahead'],
  },
  {
    breaks: 'C1: a client is served what is older than what it has seen',
    file: `${SESSIONS}/mover.ts`,
    find: 'this.#moveTo(later(this.position, floor));',
    replace: 'void floor;',
    caughtBy: [`${SESSIONS}/resuming.test.ts`, 'P3 nothing older than the client has seen, within an epoch'],
  },
  {
    breaks: 'C1: the client takes a lower LSN of the same epoch',
    file: 'packages/client/src/horizon.ts',
    find: 'if (from.epoch === to.epoch) return to.lsn >= from.lsn;',
    replace: 'if (from.epoch === to.epoch) return true;',
    caughtBy: [RESUME_TEST, 'an older position of the same epoch is refused, and waited out'],
  },
  {
    breaks: 'C1: the client refuses a lower LSN of a new epoch',
    file: 'packages/client/src/horizon.ts',
    find: 'return oldSystem !== newSystem || newTimeline > oldTimeline;',
    replace: 'return newTimeline > oldTimeline && to.lsn >= from.lsn;',
    caughtBy: [RESUME_TEST, 'a new epoch ('],
  },
  {
    breaks: 'C2: no mark is made: the stream is passed when Postgres happens to flush',
    file: `${SOURCE}/passing.ts`,
    find: 'await this.#options.mark().catch(() => undefined);',
    replace: 'await Promise.resolve();',
    caughtBy: [SNAPSHOTS, 'C2: an idle server with the unflushed WAL of an open transaction is passed'],
  },
  {
    breaks: 'C2: each that waits makes a mark of its own',
    file: `${SOURCE}/passing.ts`,
    find: 'if (this.#timer !== undefined || this.#marking) return;',
    replace: '',
    caughtBy: [PASSING, 'C2: those who wait at once ask once and make one mark'],
  },
  {
    breaks: 'C2: who comes while a mark is being made waits for a quarter of a second',
    file: `${SOURCE}/passing.ts`,
    find: 'if (this.#marking) this.#late = true;',
    replace: '',
    caughtBy: [PASSING, 'C2: who comes while a mark is being made gets one of its own'],
  },
  {
    breaks: 'C1: a keepalive passes a transaction that is on its way',
    file: `${SOURCE}/stream-reader.ts`,
    find: 'if (lsn > this.#position && !this.#builder.inTransaction) this',
    replace: 'if (lsn > this.#position) this',
    caughtBy: [`${SOURCE}/stream-reader.test.ts`, 'C1: a keepalive within a transaction'],
  },
  {
    breaks: 'C1: where a connection ended, a position passes what came with its end',
    file: `${SOURCE}/stream-reader.ts`,
    find: 'if (passed !== null && !this.#isOver) this.#events.progress(passed);',
    replace: 'if (passed !== null) this.#events.progress(passed);',
    caughtBy: [`${SOURCE}/stream-reader.test.ts`, 'C1: where the connection ended'],
  },
  {
    breaks: 'C2: the mark waits for synchronous standbys',
    file: `${SOURCE}/postgres-source.ts`,
    find: "'SET LOCAL synchronous_commit = local',",
    replace: '',
    caughtBy: [INVISIBLE, 'C2: a mark does not wait for standbys'],
  },
  {
    breaks: 'C2: a position counts as passed before the stream is there',
    file: `${SOURCE}/source-chain.ts`,
    find: 'return lsn <= this.#position ? Promise.resolve() : this.#passing.wait(lsn);',
    replace: 'return Promise.resolve();',
    caughtBy: [FAILURES, 'C2: what the stream has not brought is not passed'],
  },
  {
    breaks: 'C3: a move that only changes the position goes to who waits for another',
    file: `${SESSIONS}/mover.ts`,
    find: 'if (p !== null && (turn.chunks.length > 0 || Object.keys(filled).length > 0)) {',
    replace: 'if (p !== null) {',
    caughtBy: [SESSIONS_TEST, 'C3 a connection that waits for a position is told nothing on the way'],
  },
  {
    breaks: 'C3: an error that was told is told again with each move',
    file: `${SESSIONS}/member.ts`,
    find: ': span.error !== this.error;',
    replace: ': true;',
    caughtBy: [SESSIONS_TEST, 'C17 an error is the answer at its position, and its end is news'],
  },
  {
    breaks: 'C3: connections that wait for nothing are looked at with every batch',
    file: `${SESSIONS}/sessions.ts`,
    find: 'for (const session of this.#waiting) this.wake(session);',
    replace: 'for (const session of this.#sessions) this.wake(session);',
    caughtBy: [SESSIONS_TEST, 'C3 a batch that says nothing of its views does not touch a connection'],
  },
];
