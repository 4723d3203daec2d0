-- A large document is written bit by bit, in a scope of its own that becomes visible when all of it is there.
-- Until then scope and document stand under the negative id of their build.

ALTER TABLE scopes ADD COLUMN document_id bigint NOT NULL DEFAULT 0;
ALTER TABLE scopes DROP CONSTRAINT scopes_workspace_id_build_id_audience_key;
ALTER TABLE scopes ADD UNIQUE (workspace_id, build_id, audience, document_id);
