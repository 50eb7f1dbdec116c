import { createContext, useContext, useMemo } from 'react';
import { useLiveQuery } from '@sluice/react';
import { queries, type Label, type Member, type Project, type Team } from './live.js';

/** What issues refer to by id: small tables, held whole. They change with the issues, in the same move. */
export interface Directory {
  readonly teams: readonly Team[];
  readonly projects: readonly Project[];
  readonly members: readonly Member[];
  readonly team: (id: number) => Team | undefined;
  readonly project: (id: number) => Project | undefined;
  readonly member: (id: number | null) => Member | undefined;
  readonly label: (id: number) => Label | undefined;
}

export function useLiveDirectory(): Directory {
  const teams = useLiveQuery(queries.teams()).rows;
  const projects = useLiveQuery(queries.projects()).rows;
  const members = useLiveQuery(queries.members()).rows;
  const labels = useLiveQuery(queries.labels()).rows;
  return useMemo(() => {
    const team = byId(teams);
    const project = byId(projects);
    const member = byId(members);
    const label = byId(labels);
    return {
      teams,
      projects,
      members,
      team: (id) => team.get(id),
      project: (id) => project.get(id),
      member: (id) => (id === null ? undefined : member.get(id)),
      label: (id) => label.get(id),
    };
  }, [teams, projects, members, labels]);
}

function byId<Row extends { readonly id: number }>(rows: readonly Row[]): ReadonlyMap<number, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

const NOTHING: Directory = {
  teams: [],
  projects: [],
  members: [],
  team: () => undefined,
  project: () => undefined,
  member: () => undefined,
  label: () => undefined,
};

export const DirectoryContext: React.Context<Directory> = createContext(NOTHING);

export function useDirectory(): Directory {
  return useContext(DirectoryContext);
}
