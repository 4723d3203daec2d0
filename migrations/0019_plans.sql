-- What is erased by age, what a change of the encoder leaves behind, and who may see the documents of a source.

CREATE INDEX answers_by_embedder ON answers (workspace_id, embedder_id) WHERE embedder_id IS NOT NULL;
CREATE INDEX runs_by_end ON runs (workspace_id, finished_at);
CREATE INDEX audit_by_time ON audit (workspace_id, happened_at);
CREATE INDEX documents_by_scope ON documents (workspace_id, scope_id);
