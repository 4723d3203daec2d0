-- Documents, their chunks and the index over them. Every key starts with the workspace, so that the same
-- schema can be partitioned or sharded by it; ids are made by the application.

DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS vector;
EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN
    IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'vector') THEN
        RAISE;
    END IF;
END;
$$;

-- The Slack team that this installation answers; none until Slack is connected ('local' until then).
CREATE TABLE workspaces (
    workspace_id text PRIMARY KEY,
    name         text NOT NULL,
    connected_at timestamptz NOT NULL
);

CREATE TABLE sources (
    workspace_id text NOT NULL,
    name         text NOT NULL,
    kind         text NOT NULL,
    address      text NOT NULL,
    schedule     text,
    last_success timestamptz,
    last_error   text,
    next_run     timestamptz,
    retired_at   timestamptz,
    PRIMARY KEY (workspace_id, name)
);

-- One row per attempt to bring a source up to date; progress is read from it while it runs.
CREATE TABLE runs (
    workspace_id text NOT NULL,
    run_id       uuid NOT NULL,
    source       text NOT NULL,
    is_full      boolean NOT NULL DEFAULT false,
    asked_by     text,
    state        text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed', 'stopped')),
    started_at   timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL,
    finished_at  timestamptz,
    total        integer NOT NULL DEFAULT 0,
    seen         integer NOT NULL DEFAULT 0,
    changed      integer NOT NULL DEFAULT 0,
    unchanged    integer NOT NULL DEFAULT 0,
    failed       integer NOT NULL DEFAULT 0,
    skipped      integer NOT NULL DEFAULT 0,
    removed      integer NOT NULL DEFAULT 0,
    chunks       integer NOT NULL DEFAULT 0,
    embedded     integer NOT NULL DEFAULT 0,
    error        text,
    PRIMARY KEY (workspace_id, run_id)
);
CREATE INDEX runs_by_source ON runs (workspace_id, source, started_at DESC);

-- Documents that could not be read at the last run (the old content, if any, still serves).
CREATE TABLE failures (
    workspace_id text NOT NULL,
    source       text NOT NULL,
    path         text NOT NULL,
    version      text NOT NULL,
    is_skip      boolean NOT NULL DEFAULT false,
    reason       text NOT NULL,
    failed_at    timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, source, path)
);

-- The encoders whose vectors are stored. Each has a vector index of its own: two are never mixed.
CREATE TABLE embedders (
    workspace_id text NOT NULL,
    embedder_id  integer NOT NULL,
    name         text NOT NULL,
    dims         integer NOT NULL,
    PRIMARY KEY (workspace_id, embedder_id),
    UNIQUE (workspace_id, name)
);

-- A build is one complete set of a source's documents. One per source is live and served; a full rebuild
-- fills a second one beside it and swaps.
CREATE TABLE builds (
    workspace_id text NOT NULL,
    build_id     bigint NOT NULL,
    source       text NOT NULL,
    embedder_id  integer NOT NULL,
    chunker      text NOT NULL,
    state        text NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    PRIMARY KEY (workspace_id, build_id)
);
CREATE UNIQUE INDEX builds_live ON builds (workspace_id, source) WHERE state = 'live';
CREATE UNIQUE INDEX builds_building ON builds (workspace_id, source) WHERE state = 'building';

-- The documents of a build that the same people may see. A search is filtered by scope.
CREATE TABLE scopes (
    workspace_id text NOT NULL,
    scope_id     integer NOT NULL,
    build_id     bigint NOT NULL,
    audience     text[] NOT NULL,
    chunks       bigint NOT NULL DEFAULT 0,
    terms        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, scope_id),
    UNIQUE (workspace_id, build_id, audience)
);

CREATE TABLE documents (
    workspace_id text NOT NULL,
    document_id  bigint NOT NULL,
    build_id     bigint NOT NULL,
    scope_id     integer NOT NULL,
    path         text NOT NULL,
    version      text NOT NULL,
    content_hash bytea NOT NULL,
    title        text NOT NULL,
    url          text,
    updated_at   timestamptz,
    ingested_at  timestamptz NOT NULL,
    chunks       integer NOT NULL,
    PRIMARY KEY (workspace_id, document_id),
    UNIQUE (workspace_id, build_id, path)
);

CREATE TABLE chunks (
    workspace_id text NOT NULL,
    chunk_id     bigint NOT NULL,
    document_id  bigint NOT NULL,
    scope_id     integer NOT NULL,
    embedder_id  integer NOT NULL,
    position     integer NOT NULL,
    heading      text NOT NULL,
    url          text,
    body         text NOT NULL,
    text_hash    bytea NOT NULL,
    terms        integer NOT NULL,
    embedding    halfvec NOT NULL,
    PRIMARY KEY (workspace_id, chunk_id)
);
CREATE INDEX chunks_by_document ON chunks (workspace_id, document_id);
CREATE INDEX chunks_by_scope ON chunks (workspace_id, scope_id);
CREATE INDEX chunks_by_text ON chunks (workspace_id, embedder_id, text_hash);

-- Which chunk holds which term how often: what BM25 needs, readable without touching the chunks.
CREATE TABLE postings (
    workspace_id text NOT NULL,
    term         text NOT NULL,
    chunk_id     bigint NOT NULL,
    scope_id     integer NOT NULL,
    tf           smallint NOT NULL,
    length       integer NOT NULL,
    PRIMARY KEY (workspace_id, term, chunk_id) INCLUDE (scope_id, tf, length)
);

CREATE TABLE term_stats (
    workspace_id text NOT NULL,
    term         text NOT NULL,
    chunks       bigint NOT NULL,
    PRIMARY KEY (workspace_id, term)
) WITH (fillfactor = 70);
