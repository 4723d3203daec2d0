-- A question's place in the order of answering: the lower, the later. See store/questions.py, `place`.
ALTER TABLE questions ADD COLUMN place integer;
CREATE INDEX questions_open_by_person ON questions (workspace_id, person) WHERE ended_at IS NULL;

-- How much somebody asked lately.
CREATE INDEX questions_lately ON questions (workspace_id, person, claimed_at);
DROP INDEX questions_by_person;
