/**
 * The outbox of a service that publishes with its state changes: one row per group of records that belong together.
 * Put both into a migration of the service; `name` may carry a schema.
 */
export const OUTBOX_UP = `
  CREATE TABLE outbox (
    id uuid CONSTRAINT outbox_pk PRIMARY KEY DEFAULT uuidv7(),
    created_at timestamptz NOT NULL DEFAULT now(),
    records jsonb NOT NULL
  ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`;

export const OUTBOX_DOWN = 'DROP TABLE outbox';
