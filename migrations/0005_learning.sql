-- What is learned from people: judged pairs, labels, verified answers, and the nights' reports.

-- A question that was voted on, and the text that it was shown. Made of votes, so it can be made again.
CREATE TABLE memory (
    workspace_id text NOT NULL,
    answer_id    uuid NOT NULL,
    text_hash    bytea NOT NULL,
    good         real NOT NULL,
    bad          real NOT NULL,
    embedder_id  integer NOT NULL,
    embedding    halfvec NOT NULL,
    PRIMARY KEY (workspace_id, answer_id)
);
CREATE INDEX memory_by_text ON memory (workspace_id, text_hash);

-- What a person said a message was about: a row for the intent classifier.
CREATE TABLE labels (
    workspace_id text NOT NULL,
    question_id  uuid NOT NULL,
    person       text NOT NULL,
    intent       text NOT NULL,
    origin       text NOT NULL,
    labelled_at  timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, question_id, person)
);
CREATE INDEX labels_by_person ON labels (workspace_id, person);

-- A person's reply that is kept as an answer once an admin approves it. Whoever may see one of the
-- `audience` may see it; it is flagged when the text that it agrees with (`text_hash`) is gone.
CREATE TABLE faqs (
    workspace_id text NOT NULL,
    faq_id       uuid NOT NULL,
    question     text NOT NULL,
    body         text NOT NULL,
    author       text NOT NULL,
    asker        text NOT NULL,
    audience     text[] NOT NULL,
    permalink    text,
    channel      text NOT NULL,
    message_ts   text NOT NULL,
    text_hash    bytea,
    embedder_id  integer NOT NULL,
    embedding    halfvec NOT NULL,
    state        text NOT NULL DEFAULT 'candidate' CHECK (state IN ('candidate', 'approved', 'rejected')),
    decided_by   text,
    kept_at      timestamptz NOT NULL,
    decided_at   timestamptz,
    flagged_at   timestamptz,
    PRIMARY KEY (workspace_id, faq_id),
    UNIQUE (workspace_id, channel, message_ts)
);

-- One row per night: what was decided, on which numbers.
CREATE TABLE nights (
    workspace_id text NOT NULL,
    night_id     uuid NOT NULL,
    started_at   timestamptz NOT NULL,
    seconds      real NOT NULL,
    data_hash    text NOT NULL,
    report       jsonb NOT NULL,
    PRIMARY KEY (workspace_id, night_id)
);
CREATE INDEX nights_by_time ON nights (workspace_id, started_at DESC);
