/** Every bound of the transport, with its default. */
export interface TransportLimits {
  readonly messageBytesMax: number;
  /** Messages that one connection may send: so many at once, so many a second for ever. */
  readonly messagesBurst: number;
  readonly messagesPerSecond: number;
  readonly helloMs: number;
  /** How often a connection is asked whether it lives; it is ended when it did not answer the last time. */
  readonly pingMs: number;
  readonly connectionsPerAddressMax: number;
  /** Subscriptions made by POST, with or without somebody listening. */
  readonly streamsMax: number;
  /** How long such a subscription waits for its event stream, also to come back. */
  readonly streamWaitMs: number;
  /** Messages taken while the token is being checked. */
  readonly waitingMessagesMax: number;
}

export const TRANSPORT_LIMITS: TransportLimits = {
  messageBytesMax: 1024 * 1024,
  messagesBurst: 2000,
  messagesPerSecond: 200,
  helloMs: 10_000,
  pingMs: 15_000,
  connectionsPerAddressMax: 10_000,
  streamsMax: 10_000,
  streamWaitMs: 60_000,
  waitingMessagesMax: 1024,
};
