-- Who may open the screen: links that are good once, and the sessions made of them. Only hashes are kept, so
-- that nobody who reads the database can sign in with them.
CREATE TABLE screen_links (
    workspace_id text NOT NULL,
    token_hash   bytea NOT NULL,
    person       text NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, token_hash)
);
CREATE TABLE screen_sessions (
    workspace_id text NOT NULL,
    token_hash   bytea NOT NULL,
    person       text NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, token_hash)
);
