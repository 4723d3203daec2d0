-- Figures by day (UTC), so that no page adds up a million questions. Part is what a row is of: everything,
-- a channel, a source, or a document that was cited. A row counts the questions whose time to the answer fell
-- into one bucket, so that percentiles of any span can be told.
CREATE TABLE daily_figures (
    workspace_id text NOT NULL,
    day          date NOT NULL,
    part         text NOT NULL CHECK (part IN ('all', 'channel', 'source', 'document')),
    source       text NOT NULL DEFAULT '',
    name         text NOT NULL DEFAULT '',
    bucket       smallint NOT NULL,
    asked        integer NOT NULL,
    answered     integer NOT NULL,
    unsure       integer NOT NULL,
    not_found    integer NOT NULL,
    failed       integer NOT NULL,
    routed       integer NOT NULL,
    liked        integer NOT NULL,
    disliked     integer NOT NULL,
    PRIMARY KEY (workspace_id, part, day, source, name, bucket)
);
CREATE INDEX daily_figures_of_document ON daily_figures (workspace_id, source, name, day)
    WHERE part = 'document';

-- Up to when the figures count all that happened.
CREATE TABLE figures_refreshed (
    workspace_id text PRIMARY KEY,
    refreshed_at timestamptz NOT NULL
);

-- Which days' figures a thumb changed that was put or taken away since.
CREATE INDEX thumbs_by_time ON thumbs (workspace_id, moved_at);
