/** The broker did not acknowledge in time. The records may still be written: publish again only as `maybeDuplicate`. */
export class PublishUncertainError extends Error {
  override readonly name = 'PublishUncertainError';
  readonly code = 'PUBLISH_UNCERTAIN';
  constructor(topic: string, options?: ErrorOptions) {
    super(`Kafka did not acknowledge records for ${topic} in time; they may or may not be written`, options);
  }
}

/** The records cannot be published as they are: not this service's topic, not fitting the contract, or too large. */
export class NotPublishableError extends Error {
  override readonly name = 'NotPublishableError';
  readonly code = 'NOT_PUBLISHABLE';
}

/** More groups wait for Kafka than the outbox may hold. Accept nothing more: answer 503 and try later. */
export class OutboxFullError extends Error {
  override readonly name = 'OutboxFullError';
  readonly code = 'OUTBOX_FULL';
  constructor() {
    super('Too many records wait for Kafka; try again later');
  }
}
