-- What is said in Slack besides answers, each once: that a call began (`posting_at`), and where it stands.
CREATE TABLE notices (
    workspace_id text NOT NULL,
    notice_id    uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    posting_at   timestamptz,
    channel      text,
    posted_ts    text,
    PRIMARY KEY (workspace_id, notice_id)
);
CREATE INDEX notices_by_time ON notices (workspace_id, created_at);
