-- What was learned: every version of every learned part, one of each kind serving.

CREATE TABLE model_versions (
    workspace_id text NOT NULL,
    version_id   uuid NOT NULL,
    kind         text NOT NULL,
    path         text,
    payload      jsonb NOT NULL DEFAULT '{}',
    report       jsonb NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL,
    promoted_at  timestamptz,
    is_serving   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, version_id)
);
CREATE UNIQUE INDEX model_versions_serving ON model_versions (workspace_id, kind) WHERE is_serving;
CREATE INDEX model_versions_by_kind ON model_versions (workspace_id, kind, created_at DESC);
