import type { Mutant } from '../mutant.js';

const SESSIONS = 'packages/server/src/sessions';
const CLIENT = 'packages/client/src';
const TEST = `${SESSIONS}/sessions.test.ts`;
const PROPERTY = `${SESSIONS}/sessions.property.test.ts`;
const RESUME = `${CLIENT}/resume.test.ts`;
const TRUE_AT_EVERY_MOVE = 'at every move every client holds what is true at its position';

/** C13 to C15 and what of C17 and C26 the sessions and the client keep. */
export const SESSION_RULES: readonly Mutant[] = [
  {
    breaks: 'P6: what is refused as soon as it is there is asked for again at once',
    file: `${CLIENT}/subscriptions.ts`,
    find: 'if (replanned || this.#wasStable(subscription)) subscription.refusals = 0;',
    replace: 'subscription.refusals = 0;',
    caughtBy: [`${CLIENT}/client.test.ts`, 'what is refused again as soon as it is there'],
  },
  {
    breaks: 'P8: who is subscribed is not told that the view is run again from now on',
    file: `${SESSIONS}/sessions.ts`,
    find: 'for (const { holder } of each(held.members)) holder.geared(held);',
    replace: '',
    caughtBy: ['test/src/hand-over.pg.test.ts', 'who is subscribed is told'],
  },
  {
    breaks: 'P8: who subscribes later is told the gear of before',
    file: `${SESSIONS}/sessions.ts`,
    find: 'held.regear(gearedOf(entry));',
    replace: '',
    caughtBy: ['test/src/hand-over.pg.test.ts', 'who is subscribed is told'],
  },
  {
    breaks: 'C13: a delta that does not continue the chain is taken for the next',
    file: `${SESSIONS}/feed.ts`,
    find: 'const chained = latest !== null && (latest.from === from || lsnOf(latest.from) === lsnOf(from));',
    replace: 'const chained = latest !== null && lsnOf(from) !== null;',
    caughtBy: [TEST, 'C13 a delta that does not continue the chain: whole rows for who is behind it'],
  },
  {
    breaks: 'C13: the client applies a delta of a broken chain',
    file: `${CLIENT}/views.ts`,
    find: 'return change.from === (this.#staging.end(view.id) ?? view.rows.at);',
    replace: 'return change.from !== undefined;',
    caughtBy: [RESUME, 'a broken chain asks for that view again, and for no other'],
  },
  {
    breaks: 'C13: the client applies what comes before the move',
    file: `${CLIENT}/views.ts`,
    find: 'const full = this.#staging.add(change, bytes);',
    replace: 'const full = this.#staging.add(change, bytes);\n    this.#applyStaged();',
    caughtBy: [`${CLIENT}/client.test.ts`, 'a view loads, is current, and changes at moves'],
  },
  {
    breaks: 'C13: a row that is put twice is there twice',
    file: `${CLIENT}/view-rows.ts`,
    find: 'if (!held) return this.#add(key, text, this.#decode(text), after);',
    replace:
      'if (!held || sameTexts(held.text, text)) return this.#add(key, text, this.#decode(text), after);',
    caughtBy: [`${CLIENT}/view-rows.test.ts`, 'deltas lead to what the naive result is, in order'],
  },
  {
    breaks: 'C13: a row that is deleted twice takes another with it',
    file: `${CLIENT}/view-rows.ts`,
    find: '    if (!entry) return;\n    this.#entries.delete(key);\n    this.#unlink(entry);',
    replace:
      '    if (!entry) { if (this.#last) this.#delete(this.#last.key); return; }\n    this.#entries.delete(key);\n    this.#unlink(entry);',
    caughtBy: [`${CLIENT}/view-rows.test.ts`, 'deltas lead to what the naive result is, in order'],
  },
  {
    breaks: 'C13: operations of an ordered answer depend on where its rows stand',
    file: 'packages/core/src/engine/diff.ts',
    find: 'const after = still === null ? undefined : previous;',
    replace: 'const after = undefined;',
    caughtBy: [
      'packages/core/src/engine/diff.test.ts',
      'an ordered difference leads from the one answer to the other',
    ],
  },
  {
    breaks: 'C13: deltas and their move are written apart',
    file: `${SESSIONS}/session.ts`,
    find: 'this.#sink.send(messages);\n      if',
    replace: 'for (const message of messages) this.#sink.send([message]);\n      if',
    caughtBy: [TEST, 'C13 deltas of all views, then one move, in one write'],
  },
  {
    breaks: 'C13: an edit is folded without what it builds on',
    file: `${SESSIONS}/fold.ts`,
    find: "if (op[0] === 'edit' && before !== undefined) before.push(op);",
    replace: "if (op[0] === 'del' && before !== undefined) before.push(op);",
    caughtBy: [`${SESSIONS}/slow-clients.test.ts`, 'edits are folded with all that they build on'],
  },
  {
    breaks: 'C13: clients that take no edits are brought on by deltas that hold some',
    file: `${SESSIONS}/feed.ts`,
    find: 'if (!edits && n < this.#edited) return false;',
    replace: '',
    caughtBy: [`${SESSIONS}/slow-clients.test.ts`, 'edits are for those who take them'],
  },
  {
    breaks: 'C13: a row that moves within a window is edited from what it is',
    file: 'packages/core/src/engine/member-rows.ts',
    find: 'return updateOp(old.json, now, this.#previous(at));',
    replace: 'return updateOp(now.json, now, this.#previous(at));',
    caughtBy: ['packages/core/src/engine/table-engine.test.ts', 'what members show follows the table'],
  },
  {
    breaks: 'a splice goes through the middle of a character',
    file: 'packages/core/src/engine/splices.ts',
    find: 'return start > 0 && isFirstHalf(before.charCodeAt(start - 1)) ? start - 1 : start;',
    replace: 'return isFirstHalf(0) ? start - 1 : start;',
    caughtBy: [
      'packages/core/src/engine/splices.test.ts',
      'no splice begins, ends or inserts within a character',
    ],
  },
  {
    breaks: 'children of a row that others are put before are new objects',
    file: 'packages/core/src/share.ts',
    find: 'const longer = before.length - after.length;',
    replace: 'const longer = before.length - after.length;\n  if (longer !== 0) return false;',
    caughtBy: ['packages/core/src/share.test.ts', 'a thousand elements, one of them new'],
  },
  {
    breaks: 'C13: folded operations keep the first of a key instead of the last',
    file: `${SESSIONS}/fold.ts`,
    find: 'else ops.set(op[1], [op]);',
    replace: 'else if (before === undefined) ops.set(op[1], [op]);',
    caughtBy: [PROPERTY, TRUE_AT_EVERY_MOVE],
  },
  {
    breaks: 'P7: each turn reads all views of a connection',
    file: `${SESSIONS}/members.ts`,
    find: 'if (member.restsAt(position)) this.#stirred.delete(member);',
    replace: 'if (position < 0n && member.restsAt(position)) this.#stirred.delete(member);',
    caughtBy: [TEST, 'P7 what a connection does for a change does not grow with the views that it has'],
  },
  {
    breaks: 'C14: a view of which only a gap was said has no say in where its connection moves',
    file: `${SESSIONS}/sessions.ts`,
    find: '    stir(held);\n    switch',
    replace: "    if (entry.kind !== 'gap') stir(held);\n    switch",
    caughtBy: [TEST, 'C14 the move goes to the greatest position at which all current views are valid'],
  },
  {
    breaks: 'C14: a view with a gap rests once its answer was told',
    file: `${SESSIONS}/member.ts`,
    find: "if (this.state !== 'current' || last === null || last.through !== null) return false;",
    replace: "if (this.state !== 'current' || last === null) return false;",
    caughtBy: [PROPERTY, TRUE_AT_EVERY_MOVE],
  },
  {
    breaks: 'of several who hold a view that ends some are not told',
    file: `${SESSIONS}/sessions.ts`,
    find: 'for (const member of Array.from(each(held.members))) member.holder.fail(member, error);\n    this',
    replace: 'for (const member of each(held.members)) member.holder.fail(member, error);\n    this',
    caughtBy: [TEST, 'a view that ends fails the subscriptions of all who hold it'],
  },
  {
    breaks: 'C14: a move goes where a view is not valid',
    file: `${SESSIONS}/move-rule.ts`,
    find: 'const end = earlier(p, span.through ?? tip);',
    replace: 'const end = earlier(p, tip);',
    caughtBy: [TEST, 'C14 the move goes to the greatest position at which all current views are valid'],
  },
  {
    breaks: 'C14: a view holds the others for ever',
    file: `${SESSIONS}/mover.ts`,
    find: 'const dueMs = news === null ? null : news.sinceMs + this.#context.limits.holdMs;',
    replace: 'const dueMs = news === null ? null : Number.MAX_SAFE_INTEGER;',
    caughtBy: [TEST, 'C14 a view that holds the others longer than 100 ms falls behind'],
  },
  {
    breaks: 'C14: a view falls behind at once',
    file: `${SESSIONS}/mover.ts`,
    find: 'const dueMs = news === null ? null : news.sinceMs + this.#context.limits.holdMs;',
    replace: 'const dueMs = news === null ? null : turn.nowMs;',
    caughtBy: [TEST, 'C14 a view that holds the others longer than 100 ms falls behind'],
  },
  {
    breaks: 'C14: a view that fell behind does not come back',
    file: `${SESSIONS}/mover.ts`,
    find: "if (member.state === 'current' || member.feed.last === null || member.lacksRows) continue;",
    replace: "if (member.state !== 'joining' || member.feed.last === null || member.lacksRows) continue;",
    caughtBy: [TEST, 'C14 a view that holds the others longer than 100 ms falls behind'],
  },
  {
    breaks: 'C14: a view that fell behind is not told its own position',
    file: `${SESSIONS}/mover.ts`,
    find: 'member.position = end;',
    replace: 'member.position = turn.tip;',
    caughtBy: [TEST, 'C14 a view that holds the others longer than 100 ms falls behind'],
  },
  {
    breaks: 'C14: what is behind delays who waits for a position',
    file: `${SESSIONS}/mover.ts`,
    find: 'if (p !== null && target <= p) reached.push(id);',
    replace:
      "if (p !== null && target <= p && [...this.members.all()].every((member) => member.state === 'current')) reached.push(id);",
    caughtBy: [`${SESSIONS}/reaches.test.ts`, 'C14 reach does not wait for views that are behind or loading'],
  },
  {
    breaks: 'C14: rows that are behind are shown as current',
    file: `${CLIENT}/views.ts`,
    find: "return subscription.happen({ kind: 'fell_behind', position: standing.position });",
    replace: "return subscription.happen({ kind: 'confirmed' });",
    caughtBy: [RESUME, 'behind: its own position, its own rows, and back'],
  },
  {
    breaks: 'C15: held deltas are sent to who holds another chain',
    file: `${SESSIONS}/session.ts`,
    find: 'if (resume.chain !== member.feed.chain) return;',
    replace: '',
    caughtBy: [`${SESSIONS}/resuming.test.ts`, 'C15 resume: held deltas, else a difference, nothing twice'],
  },
  {
    breaks: 'C15: a position of another epoch is taken for one of this',
    file: `${SESSIONS}/spot.ts`,
    find: 'const index = this.#epochs.lastIndexOf(parsed.epoch);',
    replace: 'const index = this.#epochs.length - 1;',
    caughtBy: [`${SESSIONS}/resuming.test.ts`, 'P3 nothing older than the client has seen, within an epoch'],
  },
  {
    breaks: 'C15: who is back gets whole rows although its digest agrees',
    file: `${SESSIONS}/mover.ts`,
    find: 'if (resume === null || resume.buckets.length === 0) return rows;',
    replace: 'if (resume !== undefined) return rows;',
    caughtBy: [`${SESSIONS}/resuming.test.ts`, 'C15 resume: held deltas, else a difference, nothing twice'],
  },
  {
    breaks: 'C15: buckets that differ are not sent',
    file: `${SESSIONS}/difference.ts`,
    find: 'const buckets = ours.buckets.flatMap((sum, i) => (sum === resume.buckets[i] ? [] : [i]));',
    replace: 'const buckets = ours.buckets.flatMap((sum, i) => (sum.length > 0 ? [] : [i]));',
    caughtBy: [`${SESSIONS}/resuming.test.ts`, 'C15 a difference brings the rows that differ, and no others'],
  },
  {
    breaks: 'C15: a digest does not see the values of a row',
    file: 'packages/core/src/digest.ts',
    find: 'for (const value of row) text.text(value);',
    replace: 'void row;',
    caughtBy: [`${SESSIONS}/resuming.test.ts`, 'C15 a difference brings the rows that differ, and no others'],
  },
  {
    breaks: 'C17: an error ends without a word',
    file: `${SESSIONS}/member.ts`,
    find: 'return span.error === null ? span.n !== this.have || this.error !== null : span.error',
    replace: 'return span.error === null ? span.n !== this.have : span.error',
    caughtBy: [TEST, 'C17 an error is the answer at its position, and its end is news'],
  },
  {
    breaks: 'C26: a position is said to be reached before it is',
    file: `${SESSIONS}/mover.ts`,
    find: 'if (p !== null && target <= p) reached.push(id);',
    replace: 'if (p !== null && target >= SPOT_ZERO) reached.push(id);',
    caughtBy: [
      `${SESSIONS}/reaches.test.ts`,
      'C26 reach: LSN, position, token; before and after; and what never comes',
    ],
  },
  {
    breaks: 'C26: a token that came before it was asked for is waited for',
    file: `${SESSIONS}/reaches.ts`,
    find: 'const seen = tokens.find(target);',
    replace: 'const seen = tokens.find(`${target}-`);',
    caughtBy: [
      `${SESSIONS}/reaches.test.ts`,
      'C26 reach: LSN, position, token; before and after; and what never comes',
    ],
  },
];
