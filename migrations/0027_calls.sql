-- Calls for a person in a thread: who asked for one, who was called, and whether it is closed.
CREATE TABLE calls (
    workspace_id text NOT NULL,
    call_id      uuid NOT NULL,
    question_id  uuid NOT NULL,
    channel      text NOT NULL,
    thread_ts    text NOT NULL,
    person       text NOT NULL,
    opened_at    timestamptz NOT NULL,
    closed_at    timestamptz,
    closed_by    text,
    PRIMARY KEY (workspace_id, call_id)
);
CREATE UNIQUE INDEX calls_open ON calls (workspace_id, channel, thread_ts) WHERE closed_at IS NULL;
CREATE INDEX calls_by_question ON calls (workspace_id, question_id);

-- Who is called in a channel (ids of people and groups), whether posts of workflows and apps are questions there,
-- and how many questions a minute the channel may ask (NULL: as many as people may).
ALTER TABLE channel_settings ADD COLUMN owners jsonb NOT NULL DEFAULT '[]';
ALTER TABLE channel_settings ADD COLUMN workflows boolean NOT NULL DEFAULT false;
ALTER TABLE channel_settings ADD COLUMN max_per_minute integer;
