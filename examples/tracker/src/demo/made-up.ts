import { STATUSES, type Status } from '../shared/vocabulary.js';
import { LABELS, MEMBERS, TEAMS, type ProjectWords } from './company.js';
import { COMMENTS, OBSERVATIONS, SITUATIONS, TITLES, WISHES } from './phrases.js';
import { Random } from './random.js';

/** The columns of a batch of issues and their comments, each a list, as `unnest` takes them. */
export interface Batch {
  readonly issues: Columns<
    | 'id'
    | 'team_id'
    | 'project_id'
    | 'number'
    | 'title'
    | 'description'
    | 'status'
    | 'priority'
    | 'assignee_id'
    | 'creator_id'
    | 'label_ids'
    | 'created_at'
    | 'updated_at'
  >;
  readonly comments: Columns<'issue_id' | 'author_id' | 'body' | 'created_at'>;
}
type Columns<Name extends string> = Record<Name, unknown[]>;

/** The company is this old: issues are spread over it, more of them of late. */
const AGE_MS = 3 * 365 * 86_400_000;
const DAY_MS = 86_400_000;

/** Shares of `STATUSES` among old issues, and among those of the last weeks. */
const OLD = [3, 2, 1, 1, 78, 15];
const NEW = [24, 30, 18, 10, 15, 3];
const FRESH_DAYS = 45;
/** Shares of the priorities 0 to 4. */
const PRIORITIES = [28, 5, 17, 30, 20];

interface Place {
  readonly teamId: number;
  readonly projectId: number;
  readonly project: ProjectWords;
}

/**
 * Makes up issues in the order of their creation: the same for the same count and moment.
 * @param nowMs the moment that the newest are dated to
 */
export function* madeUpIssues(count: number, batchRows: number, nowMs: number): Generator<Batch> {
  const random = new Random(20_260_101);
  const numbers = TEAMS.map(() => 0);
  const places = TEAMS.flatMap((team, teamIndex): Place[] =>
    team.projects.map((project, index) => ({
      teamId: teamIndex + 1,
      projectId: teamIndex * team.projects.length + index + 1,
      project,
    })),
  );
  for (let first = 1; first <= count; first += batchRows) {
    const batch = emptyBatch();
    for (let id = first; id < Math.min(first + batchRows, count + 1); id++) {
      const place = random.pick(places);
      const number = (numbers[place.teamId - 1] ?? 0) + 1;
      numbers[place.teamId - 1] = number;
      const createdMs = nowMs - 60_000 - age(1 - (id - random.float()) / count) * AGE_MS;
      addIssue(batch, random, { id, number, place, createdMs, nowMs });
    }
    yield batch;
  }
}

/** The company grew: of late there are three times as many issues a day as in its first days. */
function age(share: number): number {
  return 0.5 * share + 0.5 * share ** 2;
}

interface Draft {
  readonly id: number;
  readonly number: number;
  readonly place: Place;
  readonly createdMs: number;
  readonly nowMs: number;
}

function addIssue({ issues, comments }: Batch, random: Random, draft: Draft): void {
  const { id, number, place, createdMs, nowMs } = draft;
  const part = random.pick(place.project.parts);
  const ageDays = (nowMs - createdMs) / DAY_MS;
  const status = STATUSES[random.weighted(ageDays < FRESH_DAYS ? NEW : OLD)] ?? 'todo';
  const updatedMs = createdMs + random.float() * Math.min(nowMs - createdMs, 30 * DAY_MS);
  issues.id.push(id);
  issues.team_id.push(place.teamId);
  issues.project_id.push(place.projectId);
  issues.number.push(number);
  issues.title.push(sentence(random.pick(TITLES), part));
  issues.description.push(description(random, part));
  issues.status.push(status);
  issues.priority.push(random.weighted(PRIORITIES));
  issues.assignee_id.push(assigned(random, status) ? memberId(random) : null);
  issues.creator_id.push(memberId(random));
  issues.label_ids.push(`{${labelIds(random).join(',')}}`);
  issues.created_at.push(at(createdMs));
  issues.updated_at.push(at(updatedMs));
  for (let left = random.weighted([46, 24, 14, 8, 5, 3]); left > 0; left--) {
    comments.issue_id.push(id);
    comments.author_id.push(memberId(random));
    comments.body.push(random.pick(COMMENTS));
    comments.created_at.push(at(createdMs + random.float() * (updatedMs - createdMs)));
  }
}

function assigned(random: Random, status: Status): boolean {
  return random.chance(status === 'backlog' ? 0.25 : status === 'todo' ? 0.6 : 0.96);
}

function memberId(random: Random): number {
  return random.int(MEMBERS.length) + 1;
}

function labelIds(random: Random): number[] {
  const ids = new Set<number>();
  for (let left = random.weighted([18, 54, 22, 6]); left > 0; left--)
    ids.add(random.weighted(LABELS.map(({ weight }) => weight)) + 1);
  return [...ids].sort((a, b) => a - b);
}

function description(random: Random, part: string): string {
  const sentences = [sentence(random.pick(OBSERVATIONS), part), random.pick(SITUATIONS), random.pick(WISHES)];
  return random.chance(0.3) ? sentences.slice(0, 2).join(' ') : sentences.join(' ');
}

function sentence(template: string, part: string): string {
  const isSeveral = /[^s]s$/.test(part);
  const text = template
    .replace('{}', part)
    .replace(/\[(.*?)\|(.*?)\]/g, (_, one: string, several: string) => (isSeveral ? several : one));
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}

function emptyBatch(): Batch {
  return {
    issues: {
      id: [],
      team_id: [],
      project_id: [],
      number: [],
      title: [],
      description: [],
      status: [],
      priority: [],
      assignee_id: [],
      creator_id: [],
      label_ids: [],
      created_at: [],
      updated_at: [],
    },
    comments: { issue_id: [], author_id: [], body: [], created_at: [] },
  };
}
