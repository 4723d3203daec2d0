-- What is looked for by time, by kept reply or by text alone must not read a whole table each night.

CREATE INDEX answers_by_reply ON answers (workspace_id, (versions->>'faq')) WHERE versions ? 'faq';
CREATE INDEX answers_by_time ON answers (workspace_id, created_at);
CREATE INDEX questions_by_time ON questions (workspace_id, claimed_at);
CREATE INDEX labels_by_time ON labels (workspace_id, labelled_at);
CREATE INDEX votes_by_time ON votes (workspace_id, voted_at);
CREATE INDEX chunks_by_hash ON chunks (workspace_id, text_hash);
