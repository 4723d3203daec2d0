-- What the screen's pages look for among a million questions.
CREATE INDEX questions_by_words ON questions USING gin (to_tsvector('english', body));
CREATE INDEX questions_by_status ON questions (workspace_id, status, claimed_at);
CREATE INDEX answers_by_source ON answers (workspace_id, (citations->0->>'source'), created_at);

-- Documents that an admin took out of search, until they are shown again.
CREATE TABLE hidden_documents (
    workspace_id text NOT NULL,
    source       text NOT NULL,
    path         text NOT NULL,
    hidden_by    text NOT NULL,
    hidden_at    timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, source, path)
);

-- A source that the clock does not read until it is resumed.
ALTER TABLE sources ADD COLUMN paused_at timestamptz;

-- When a kept reply ends to be served.
ALTER TABLE faqs ADD COLUMN expires_at timestamptz;

-- Questions with what should be found for them, for `threadwise eval answers`.
CREATE TABLE test_questions (
    workspace_id text NOT NULL,
    question_id  uuid NOT NULL,
    body         text NOT NULL,
    answerable   boolean NOT NULL,
    path         text NOT NULL,
    quote        text NOT NULL,
    added_by     text NOT NULL,
    added_at     timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, question_id)
);

-- What `threadwise eval` measured, as it printed it.
CREATE TABLE evaluations (
    workspace_id  text NOT NULL,
    evaluation_id uuid NOT NULL,
    kind          text NOT NULL,
    detail        text NOT NULL,
    made_at       timestamptz NOT NULL,
    report        jsonb NOT NULL,
    PRIMARY KEY (workspace_id, evaluation_id)
);
CREATE INDEX evaluations_by_time ON evaluations (workspace_id, made_at);
