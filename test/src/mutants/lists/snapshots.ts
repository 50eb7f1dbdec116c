import type { Mutant } from '../mutant.js';

const SOURCE = 'packages/server/src/source';
const SNAPSHOTS = `${SOURCE}/snapshots.pg.test.ts`;
const INVISIBLE = `${SOURCE}/invisible-commits.pg.test.ts`;
const FAILURES = `${SOURCE}/failures.pg.test.ts`;
const STREAM = `${SOURCE}/stream.pg.test.ts`;
const RETAINED = `${SOURCE}/retained-transactions.test.ts`;
const GATE = `${SOURCE}/start-gate.test.ts`;
const XIDS = `${SOURCE}/snapshot.test.ts`;

/** C4, C5, C7, C18, C19 and what of C20 and C21 the source keeps: the stream, its slot, and snapshots. */
export const SNAPSHOT_RULES: readonly Mutant[] = [
  {
    breaks: 'C4: nothing is locked',
    file: `${SOURCE}/snapshot-reader.ts`,
    find: '      ...lock,\n',
    replace: '',
    caughtBy: [SNAPSHOTS, 'C4: a TRUNCATE that the snapshot does not see cannot empty what it reads'],
  },
  {
    breaks: 'C4: the snapshot is taken before the lock',
    file: `${SOURCE}/snapshot-reader.ts`,
    find: '      ...lock,\n',
    replace: "      'SELECT 1',\n      ...lock,\n",
    caughtBy: [SNAPSHOTS, 'C4: a fetch waits for a migration that holds the table'],
  },
  {
    breaks: 'C4: what the names mean is not looked up again under the lock',
    file: `${SOURCE}/snapshot-reader.ts`,
    find: 'if (oids.some((oid, index) => oid !== String(tables[index]))) throw new StaleNames();',
    replace: 'void oids;',
    caughtBy: [SNAPSHOTS, 'C4: a table that was renamed since its name was learned'],
  },
  {
    breaks: 'C4: the lock is waited for without a limit',
    file: `${SOURCE}/snapshot-reader.ts`,
    find: '`SET LOCAL lock_timeout = ${this.#options.lockTimeoutMs}`,',
    replace: '',
    caughtBy: [SNAPSHOTS, 'C4: a fetch waits for a migration that holds the table'],
  },
  {
    breaks: 'C5: the 32 bits of the wire are compared with the 64 of the snapshot',
    file: `${SOURCE}/snapshot.ts`,
    find: 'return near + BigInt.asIntN(32, BigInt(xid) - near);',
    replace: 'return near < 0n ? near : BigInt(xid);',
    caughtBy: [XIDS, 'xids of the stream are widened to the one that Postgres means'],
  },
  {
    breaks: 'C5: what is in xip counts as visible',
    file: `${SOURCE}/snapshot.ts`,
    find: 'return wide < snapshot.xmax && !snapshot.xip.has(wide);',
    replace: 'return wide < snapshot.xmax;',
    caughtBy: [XIDS, 'C5: part of the snapshot is what is below xmax and not in xip'],
  },
  {
    breaks: 'C5: xmax itself counts as visible',
    file: `${SOURCE}/snapshot.ts`,
    find: 'return wide < snapshot.xmax && !snapshot.xip.has(wide);',
    replace: 'return wide <= snapshot.xmax && !snapshot.xip.has(wide);',
    caughtBy: [XIDS, 'C5: part of the snapshot is what is below xmax and not in xip'],
  },
  {
    breaks: 'C5: visible is decided by xmin alone',
    file: `${SOURCE}/retained-transactions.ts`,
    find: 'return this.#where((transaction) => !sees(snapshot, transaction.xid));',
    replace: 'return this.#where((transaction) => BigInt(transaction.xid) >= snapshot.xmin);',
    caughtBy: [RETAINED, 'C5, C7: no order of commits, visibility, streaming, probes and fetches'],
  },
  {
    breaks: 'C5: a transaction goes by the id of a subtransaction',
    file: `${SOURCE}/pgoutput.ts`,
    find: "return { kind: 'begin', xid: reader.uint32() };",
    replace: "return { kind: 'begin', xid: reader.uint32() + 1 };",
    caughtBy: [STREAM, 'subtransactions: what was rolled back to a savepoint never comes'],
  },
  {
    breaks: 'C7: however many are retained, nobody looks at Postgres before the interval is over',
    file: `${SOURCE}/source-chain.ts`,
    find: 'if (this.#retained.count % RETAINED_MANY === 0) this.#options.hurry();',
    replace: '',
    caughtBy: [`${SOURCE}/snapshots.pg.test.ts`, 'C7: where they come fast transactions are forgotten'],
  },
  {
    breaks: 'C7: forgotten although a fetch is open that began before it was told',
    file: `${SOURCE}/retained-transactions.ts`,
    find: '(entry) => entry.toldAt > oldest || !sees(usable.snapshot, entry.transaction.xid),',
    replace: '(entry) => !sees(usable.snapshot, entry.transaction.xid),',
    caughtBy: [RETAINED, 'what arrives while a fetch is open stays until it ends, seen or not'],
  },
  {
    breaks: 'C7: forgotten although a fetch is open that began before the snapshot that sees it',
    file: `${SOURCE}/retained-transactions.ts`,
    find: 'const usable = this.#snapshots.findLast((taken) => taken.at < oldest);',
    replace: 'const usable = this.#snapshots.at(-1);',
    caughtBy: [
      RETAINED,
      'C7: kept while a fetch is open that may have begun before the snapshot that sees it',
    ],
  },
  {
    breaks: 'C7: forgotten when xid < xmin, so that one idle session pins the log',
    file: `${SOURCE}/retained-transactions.ts`,
    find: '(entry) => entry.toldAt > oldest || !sees(usable.snapshot, entry.transaction.xid),',
    replace:
      '(entry) => entry.toldAt > oldest || BigInt(entry.transaction.xid) >= usable.snapshot.xmin || !sees(usable.snapshot, entry.transaction.xid),',
    caughtBy: [
      RETAINED,
      'C7: forgotten once a snapshot sees it, though an older transaction pins xmin for ever',
    ],
  },
  {
    breaks: 'C7: no snapshot is taken while transactions are held and nobody fetches',
    file: `${SOURCE}/postgres-source.ts`,
    find: 'if (this.#chain.snapshotTaken(snapshot, generation)) {',
    replace: 'if (!this.#chain.settled && this.#chain.snapshotTaken(snapshot, generation)) {',
    caughtBy: [SNAPSHOTS, 'C7: what no fetch asks for is forgotten too, within a second'],
  },
  {
    breaks: 'C7: confirmed past what is retained',
    file: `${SOURCE}/source-chain.ts`,
    find: 'return this.#retained.confirmable ?? held ?? this.#decoded;',
    replace: 'return held ?? this.#decoded;',
    caughtBy: [INVISIBLE, 'C7: the slot is never confirmed past a commit that is streamed but invisible'],
  },
  {
    breaks: 'C7: what was confirmed before it was visible is gone after kill -9',
    file: `${SOURCE}/postgres-source.ts`,
    find: 'this.#connection?.feedback(this.#chain.decoded, this.#chain.confirmable, replyRequested);',
    replace: 'this.#connection?.feedback(this.#chain.decoded, this.#chain.decoded, replyRequested);',
    caughtBy: [
      INVISIBLE,
      'C7: killed between streaming and visibility, a permanent slot brings the commit again',
    ],
  },
  {
    breaks: 'C7: confirmed at the oldest retained commit instead of before it',
    file: `${SOURCE}/retained-transactions.ts`,
    find: 'return this.#retained[0]?.transaction.previous ?? null;',
    replace: 'return this.#retained[0]?.transaction.lsn ?? null;',
    caughtBy: [RETAINED, 'C7: nothing at or past the oldest retained commit can be confirmed'],
  },
  {
    breaks: 'C7: confirmed past what is held back',
    file: `${SOURCE}/source-chain.ts`,
    find: 'return this.#retained.confirmable ?? held ?? this.#decoded;',
    replace: 'return this.#retained.confirmable ?? (held === null ? this.#decoded : this.#decoded);',
    caughtBy: [INVISIBLE, 'C7, C18: with `visible` nothing is confirmed that is held back'],
  },
  {
    breaks: 'C7: at its bound the log keeps everything',
    file: `${SOURCE}/retained-transactions.ts`,
    find: 'while (this.#bytes > this.#bytesMax && this.#firstWhole < this.#retained.length) this.#collapseOldest();',
    replace: '',
    caughtBy: [RETAINED, 'at the bound the oldest lose their changes and say so; the newest stay whole'],
  },
  {
    breaks: 'C7: the start rule lets snapshots with an older xmin through',
    file: `${SOURCE}/start-gate.ts`,
    find: 'if (this.#after === null || snapshot.xmin < this.#after) return false;',
    replace: 'if (this.#after === null) return false;',
    caughtBy: [INVISIBLE, 'C7, the start rule: a commit before the slot that is not visible yet delays'],
  },
  {
    breaks: 'C7: the start rule does not wait for X',
    file: `${SOURCE}/start-gate.ts`,
    find: 'if (this.#after === null || snapshot.xmin < this.#after) return false;',
    replace: 'if (snapshot.xmin < (this.#after ?? 0n)) return false;',
    caughtBy: [GATE, 'C7, the start rule: nothing opens before X is known'],
  },
  {
    breaks: 'C7: X or a snapshot from before the slot counts for it',
    file: `${SOURCE}/start-gate.ts`,
    find: "if (this.#state !== 'armed' || generation !== this.#generation) return false;",
    replace: "if (this.#state !== 'armed') return false;",
    caughtBy: [GATE, 'C7, the start rule: what was asked for before the slot was made does not count'],
  },
  {
    breaks: 'C7: what blocks the start is not named',
    file: `${SOURCE}/postgres-source.ts`,
    find: 'if (!this.#chain.settled) void this.#nameBlocking();',
    replace: '',
    caughtBy: [INVISIBLE, 'C7, the start rule: a commit before the slot that is not visible yet delays'],
  },
  {
    breaks: 'C7: the stream is held on to while Postgres shuts down',
    file: `${SOURCE}/postgres-source.ts`,
    find: "if (error.code === 'database_starting' && this.#state === 'streaming') this.#connection?.destroy(error);",
    replace: '',
    caughtBy: [INVISIBLE, 'C7: a Postgres that shuts down is not held up by a commit that nobody sees'],
  },
  {
    breaks: 'C18: `visible` changes nothing',
    file: `${SOURCE}/source-chain.ts`,
    find: 'if (!this.#options.visible) return this.#tell(told);',
    replace: 'if (this.#options.visible !== null) return this.#tell(told);',
    caughtBy: [INVISIBLE, 'C18: with `visible` a commit is told once a snapshot sees it'],
  },
  {
    breaks: 'C18: what comes after an invisible commit overtakes it',
    file: `${SOURCE}/held-back.ts`,
    find: 'return this.#queue.splice(0, blocked < 0 ? this.#queue.length : blocked);',
    replace:
      'if (blocked < 0) return this.#queue.splice(0); const first = this.#queue.splice(blocked, 1); const rest = this.#queue; this.#queue = [...first]; return rest;',
    caughtBy: [INVISIBLE, 'C18: with `visible` a commit is told once a snapshot sees it'],
  },
  {
    breaks: 'C18: any snapshot releases what is held back',
    file: `${SOURCE}/held-back.ts`,
    find: "(told) => told.kind === 'transaction' && !sees(snapshot, told.transaction.xid),",
    replace: "(told) => told.kind === 'transaction' && told.transaction.xid < 0 && !sees(snapshot, 0),",
    caughtBy: [INVISIBLE, 'C18: with `visible` a commit is told once a snapshot sees it'],
  },
  {
    breaks: 'C19: the slot is kept at its limit',
    file: `${SOURCE}/postgres-source.ts`,
    find: "if (percent < 100 || (this.#state === 'waiting' && slot.active)) return;",
    replace: 'if (percent >= 0) return;',
    caughtBy: [FAILURES, "P6: a stalled reader's"],
  },
  {
    breaks: 'C19: a slot that is given up is not dropped',
    file: `${SOURCE}/postgres-source.ts`,
    find: "if (this.#options.slot.mode === 'temporary' || this.#unusableSlot) await this.#keeper.drop(this.#slot);",
    replace: '',
    caughtBy: [FAILURES, "P6: a stalled reader's"],
  },
  {
    breaks: 'C7: the chain goes on under a slot that others have moved on',
    file: `${SOURCE}/postgres-source.ts`,
    find: 'if (sameEpoch && !slot.fresh && slot.from <= told && identity.lsn >= told) return true;',
    replace: 'if (sameEpoch && !slot.fresh && identity.lsn >= told) return true;',
    caughtBy: [FAILURES, 'a permanent slot that another process has moved on: a new chain'],
  },
  {
    breaks: 'C21: the reader may read what row security has filtered',
    file: `${SOURCE}/snapshot-reader.ts`,
    find: "...(as ? clientRole(as) : ['SET LOCAL row_security = off']),",
    replace: '...(as ? clientRole(as) : []),',
    caughtBy: [SNAPSHOTS, 'C21: as the reader a table with row security fails instead of lying'],
  },
  {
    breaks: 'C21: what is fetched as a client is read with the rights of the reader',
    file: `${SOURCE}/snapshot-reader.ts`,
    find: '`SET LOCAL ROLE ${quoteIdentifier(as.role)}`,',
    replace: '',
    caughtBy: [SNAPSHOTS, 'C21: as the reader a table with row security fails instead of lying'],
  },
  {
    breaks: 'C21: a client may be of the role `none`, which is the reader',
    file: `${SOURCE}/snapshot-reader.ts`,
    find: "if (as.role.toLowerCase() === 'none')",
    replace: "if (as.role === '')",
    caughtBy: [SNAPSHOTS, 'C21: as the reader a table with row security fails instead of lying'],
  },
];
