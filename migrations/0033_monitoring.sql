-- Drift: whether what people ask, and what they get, is as it was in the weeks before. One row for each night and
-- measure; `since` is when a drift that lasts was first seen, `question_ids` are those that show it best.
CREATE TABLE drifts (
    workspace_id text NOT NULL,
    measure      text NOT NULL CHECK (measure IN ('topics', 'confidence', 'refusals', 'intents')),
    tested_at    timestamptz NOT NULL,
    week         integer NOT NULL,
    before       integer NOT NULL,
    effect       real NOT NULL,
    p            real NOT NULL,
    since        timestamptz,
    detail       jsonb NOT NULL DEFAULT '{}',
    question_ids uuid[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, measure, tested_at)
);
