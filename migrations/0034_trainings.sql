-- Trainings: how well each was told right on rows that were held out, whether it came to serve or not.
CREATE TABLE trainings (
    workspace_id text NOT NULL,
    training_id  uuid NOT NULL,
    kind         text NOT NULL,
    made_at      timestamptz NOT NULL,
    is_kept      boolean NOT NULL,
    rows         integer NOT NULL,
    accuracy     real,
    loss         real,
    report       jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, training_id)
);
CREATE INDEX trainings_by_time ON trainings (workspace_id, kind, made_at DESC);
