-- What was asked, what was answered, what people thought of it.

-- A row is a claim: unique on the message, so that a message delivered again is not answered again.
CREATE TABLE questions (
    workspace_id text NOT NULL,
    question_id  uuid NOT NULL,
    channel      text NOT NULL,
    message_ts   text NOT NULL,
    thread_ts    text,
    person       text NOT NULL,
    body         text NOT NULL,
    origin       text NOT NULL CHECK (origin IN ('mention', 'dm', 'channel', 'thread', 'command', 'terminal')),
    is_private   boolean NOT NULL,
    respond_url  text,
    claimed_at   timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    status       text CHECK (status IN ('answered', 'unsure', 'not_found', 'routed', 'smalltalk', 'ignored', 'failed')),
    intent       text,
    intent_confidence real,
    error        text,
    timings      jsonb NOT NULL DEFAULT '{}',
    ended_at     timestamptz,
    marker       text CHECK (marker IN ('status', 'eyes', 'none')),
    PRIMARY KEY (workspace_id, question_id),
    UNIQUE (workspace_id, channel, message_ts)
);
CREATE INDEX questions_open ON questions (workspace_id, claimed_at) WHERE ended_at IS NULL;
CREATE INDEX questions_by_thread ON questions (workspace_id, channel, thread_ts);
CREATE INDEX questions_by_person ON questions (workspace_id, person);

-- One answer per question, kept with everything needed to explain it.
CREATE TABLE answers (
    workspace_id text NOT NULL,
    answer_id    uuid NOT NULL,
    question_id  uuid NOT NULL,
    status       text NOT NULL,
    confidence   real NOT NULL,
    body         text,
    citations    jsonb NOT NULL,
    passages     jsonb NOT NULL,
    signals      jsonb NOT NULL,
    versions     jsonb NOT NULL,
    hints        jsonb NOT NULL DEFAULT '[]',
    embedder_id  integer,
    embedding    halfvec,
    created_at   timestamptz NOT NULL,
    channel      text,
    posted_ts    text,
    PRIMARY KEY (workspace_id, answer_id),
    UNIQUE (workspace_id, question_id)
);
CREATE UNIQUE INDEX answers_by_post ON answers (workspace_id, channel, posted_ts) WHERE posted_ts IS NOT NULL;

CREATE TABLE votes (
    workspace_id text NOT NULL,
    answer_id    uuid NOT NULL,
    person       text NOT NULL,
    value        smallint NOT NULL CHECK (value IN (-1, 1)),
    weight       real NOT NULL DEFAULT 1,
    reason       text,
    detail       text,
    origin       text NOT NULL,
    voted_at     timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, answer_id, person)
);
CREATE INDEX votes_by_person ON votes (workspace_id, person);

-- What a channel wants: by id, so that renaming it changes nothing.
CREATE TABLE channel_settings (
    workspace_id text NOT NULL,
    channel      text NOT NULL,
    mode         text NOT NULL DEFAULT 'mention' CHECK (mode IN ('mention', 'questions', 'all', 'off')),
    strictness   real,
    sources      text[],
    changed_by   text NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, channel)
);

CREATE TABLE audit (
    workspace_id text NOT NULL,
    audit_id     uuid NOT NULL,
    person       text NOT NULL,
    action       text NOT NULL,
    detail       text NOT NULL,
    happened_at  timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, audit_id)
);
