-- What an LLM phrased of an answer: {"sentences": [{"text", "quotes": [..]}], "sent": [chunk ids], "model", "seconds",
-- "drops": {reason: count}}; null where none was asked.
ALTER TABLE answers ADD COLUMN phrasing jsonb;

-- Whether an LLM may phrase, where somebody or a night has decided it; on where there is no row.
CREATE TABLE phrasing_switches (
    workspace_id text NOT NULL PRIMARY KEY,
    is_on boolean NOT NULL,
    reason text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
