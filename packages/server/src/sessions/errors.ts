import { SluiceError } from '@sluice/core/errors';

export const SESSIONS_ERRORS = {
  query_unknown: {
    message: 'There is no query of that name.',
    hint: 'Define it with defineQueries on the server, or update the client: names are part of its contract.',
    retry: false,
    stage: 'sessions',
  },
  query_failed: {
    message: 'The query could not be resolved: its function on the server failed.',
    hint: "See the server's log for the cause. The arguments may be wrong.",
    retry: false,
    stage: 'sessions',
  },
  query_timeout: {
    message: 'The query was not resolved in time.',
    hint: 'Its function on the server, or the process that resolves it, takes too long. It is tried again.',
    retry: true,
    stage: 'sessions',
  },
  sql_not_allowed: {
    message: 'This server takes named queries only.',
    hint: 'Start it with --allow-sql (allowSql: true) to let clients send SQL of their own.',
    retry: false,
    stage: 'sessions',
  },
  subscriptions_too_many: {
    message: 'This connection holds as many subscriptions as it may.',
    hint: 'Close views that are not shown, or raise limits.subscriptionsMax.',
    retry: true,
    stage: 'sessions',
  },
  subscriptions_too_many_for_principal: {
    message: 'The connections of this role and these claims hold as many subscriptions as they may together.',
    hint: 'Close views that are not shown, or raise limits.subscriptionsPerPrincipalMax.',
    retry: true,
    stage: 'sessions',
  },
  subscription_id_taken: {
    message: 'A subscription of that id is open on this connection.',
    hint: 'Choose an id that was not used on this connection.',
    retry: false,
    stage: 'sessions',
  },
  reach_target_invalid: {
    message: 'The target is no position, LSN or commit token.',
    hint: 'Pass what a live view has as its position, an LSN as Postgres prints it, or what sluice.token(tx) returned.',
    retry: false,
    stage: 'sessions',
  },
  reach_too_many: {
    message: 'This connection waits for as many positions as it may.',
    hint: 'Await what was asked for, or raise limits.reachesMax.',
    retry: true,
    stage: 'sessions',
  },
  reach_timeout: {
    message: 'The position or token did not come in time.',
    hint: 'The transaction may have been rolled back, or the LSN may lie ahead of the log.',
    retry: true,
    stage: 'sessions',
  },
  position_of_another_epoch: {
    message: 'The position belongs to another history of the database.',
    hint: 'The database failed over or was restored. Read the position again.',
    retry: false,
    stage: 'sessions',
  },
  client_too_slow: {
    message: 'The client did not read what was sent to it in time.',
    hint: 'Connect again: what is held is compared, and only the difference is sent.',
    retry: true,
    stage: 'sessions',
  },
} as const;

export function sessionsError(code: keyof typeof SESSIONS_ERRORS, detail?: string): SluiceError {
  return new SluiceError(code, SESSIONS_ERRORS[code], detail);
}
