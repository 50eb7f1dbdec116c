import { createContext, useContext, useMemo } from 'react';
import type { SluiceError } from '@sluice/client';
import { useLiveQuery } from '@sluice/react';
import { queries, type Label, type Member, type Project, type Team } from './live.js';

/** What issues refer to by id: small tables, held whole. They change with the issues, in the same move. */
export interface Directory {
  readonly teams: readonly Team[];
  readonly projects: readonly Project[];
  readonly members: readonly Member[];
  readonly labels: readonly Label[];
  readonly team: (id: number) => Team | undefined;
  readonly project: (id: number) => Project | undefined;
  readonly member: (id: number | null) => Member | undefined;
  readonly label: (id: number) => Label | undefined;
}

/** With what went wrong with one of them, if anything. */
export function useLiveDirectory(): readonly [Directory, SluiceError | null] {
  const teams = useLiveQuery(queries.teams());
  const projects = useLiveQuery(queries.projects());
  const members = useLiveQuery(queries.members());
  const labels = useLiveQuery(queries.labels());
  // All or nothing: or the projects would push the teams apart when they come.
  const isLoading = [teams, projects, members, labels].some(({ status }) => status === 'loading');
  const directory = useMemo(
    () => (isLoading ? NOTHING : directoryOf(teams.rows, projects.rows, members.rows, labels.rows)),
    [isLoading, teams.rows, projects.rows, members.rows, labels.rows],
  );
  return [directory, teams.error ?? projects.error ?? members.error ?? labels.error];
}

function directoryOf(
  teams: readonly Team[],
  projects: readonly Project[],
  members: readonly Member[],
  labels: readonly Label[],
): Directory {
  const team = byId(teams);
  const project = byId(projects);
  const member = byId(members);
  const label = byId(labels);
  return {
    teams,
    projects,
    members,
    labels,
    team: (id) => team.get(id),
    project: (id) => project.get(id),
    member: (id) => (id === null ? undefined : member.get(id)),
    label: (id) => label.get(id),
  };
}

function byId<Row extends { readonly id: number }>(rows: readonly Row[]): ReadonlyMap<number, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

const NOTHING: Directory = {
  teams: [],
  projects: [],
  members: [],
  labels: [],
  team: () => undefined,
  project: () => undefined,
  member: () => undefined,
  label: () => undefined,
};

export const DirectoryContext: React.Context<Directory> = createContext(NOTHING);

export function useDirectory(): Directory {
  return useContext(DirectoryContext);
}
