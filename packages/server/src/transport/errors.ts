import { SluiceError } from '@sluice/core/errors';

export const TRANSPORT_ERRORS = {
  message_invalid: {
    message: 'The message is not JSON.',
    hint: 'Send one JSON object in each text message; see docs/protocol.md.',
    retry: false,
    stage: 'transport',
  },
  message_binary: {
    message: 'Binary messages are reserved.',
    hint: 'Send text messages.',
    retry: false,
    stage: 'transport',
  },
  message_malformed: {
    message: 'The message is not one of this protocol.',
    hint: 'Compare it with docs/protocol.md; the detail names the member that is missing or wrong.',
    retry: false,
    stage: 'transport',
  },
  message_unknown: {
    message: 'The message is of a kind that this server does not know.',
    hint: 'Kinds that may be ignored are marked "optional": true. Update the server, or speak an older version.',
    retry: false,
    stage: 'transport',
  },
  message_too_large: {
    message: 'The message is larger than this server takes.',
    hint: 'Send fewer parameters or resume digests at once, or raise limits.messageBytesMax.',
    retry: false,
    stage: 'transport',
  },
  messages_too_many: {
    message: 'The client sends more messages than it may.',
    hint: 'Slow down, or raise limits.messagesPerSecond and limits.messagesBurst.',
    retry: true,
    stage: 'transport',
  },
  hello_expected: {
    message: 'The first message of a connection is `hello`, and there is one.',
    hint: 'Send {"kind":"hello","versions":[1]} first.',
    retry: false,
    stage: 'transport',
  },
  hello_timeout: {
    message: 'The client said nothing in time.',
    hint: 'Send `hello` as soon as the connection is open.',
    retry: true,
    stage: 'transport',
  },
  version_unsupported: {
    message: 'Client and server have no version of the protocol in common.',
    hint: 'Update the older of the two.',
    retry: false,
    stage: 'transport',
  },
  connections_too_many: {
    message: 'There are as many connections from this address as may be.',
    hint: 'Share one connection among tabs, or raise limits.connectionsPerAddressMax.',
    retry: true,
    stage: 'transport',
  },
  origin_not_allowed: {
    message: 'Pages of this origin may not connect.',
    hint: 'Add it to allowedOrigins; or, if the name that it asked is the one of a proxy, let that pass on the Host header as it came.',
    retry: false,
    stage: 'transport',
  },
  server_starting: {
    message: 'This server has not started yet.',
    hint: 'Connect again when /readyz is green; it says what it waits for.',
    retry: true,
    stage: 'transport',
  },
  server_stopping: {
    message: 'This server is about to stop.',
    hint: 'Connect again; another server may answer.',
    retry: true,
    stage: 'transport',
  },
  path_unknown: {
    message: 'There is nothing at this path.',
    hint: 'The paths are listed in docs/protocol.md.',
    retry: false,
    stage: 'transport',
  },
  method_not_allowed: {
    message: 'This path does not take that method.',
    hint: 'The paths and their methods are listed in docs/protocol.md.',
    retry: false,
    stage: 'transport',
  },
  stream_unknown: {
    message: 'There is no such subscription here.',
    hint: 'It was closed, nobody listened for too long, or another server holds it. POST /subscribe again.',
    retry: true,
    stage: 'transport',
  },
  stream_taken: {
    message: 'Another event stream has taken over this subscription.',
    hint: 'Each subscription_id serves one event stream: POST /subscribe for each.',
    retry: false,
    stage: 'transport',
  },
  streams_too_many: {
    message: 'There are as many subscriptions made by POST as may be.',
    hint: 'DELETE those that are not used, or raise limits.streamsMax.',
    retry: true,
    stage: 'transport',
  },
  server_fault: {
    message: 'A fault of the server.',
    hint: "Try again; the server's log has the cause.",
    retry: true,
    stage: 'transport',
  },
  explain_off: {
    message: 'This server explains no queries to clients.',
    hint: 'Start it with --explain (explain: true), as `sluice dev` does; `sluice explain` asks the database alone.',
    retry: false,
    stage: 'transport',
  },
  explains_too_many: {
    message: 'As many queries are being explained as may wait for it.',
    hint: 'Ask again later, and less often.',
    retry: true,
    stage: 'transport',
  },
  mutators_none: {
    message: 'This server has no mutators.',
    hint: 'Write to the database in the application; live views follow.',
    retry: false,
    stage: 'transport',
  },
} as const;

export function transportError(code: keyof typeof TRANSPORT_ERRORS, detail?: string): SluiceError {
  return new SluiceError(code, TRANSPORT_ERRORS[code], detail);
}
