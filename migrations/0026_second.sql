-- Vectors of a second encoder, one for each text: what is rebuilt or moved keeps them. They are read by text and
-- never searched, so they need no index of their own.

CREATE TABLE second_vectors (
    workspace_id text NOT NULL,
    embedder_id  integer NOT NULL,
    text_hash    bytea NOT NULL,
    embedding    halfvec NOT NULL,
    PRIMARY KEY (workspace_id, embedder_id, text_hash)
);
