-- How far the posting of an answer came, so that it is neither lost nor done twice.

-- Set before Slack is called; '-infinity' when a call ended without saying whether it was posted.
ALTER TABLE answers ADD COLUMN posting_at timestamptz;

-- Those who take over were told of a question that is passed on.
ALTER TABLE answers ADD COLUMN handed_over_at timestamptz;

-- When a channel takes the next message: Slack allows about one a second.
CREATE TABLE channel_turns (
    workspace_id text NOT NULL,
    channel      text NOT NULL,
    next_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, channel)
);
