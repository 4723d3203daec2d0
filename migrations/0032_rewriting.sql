-- What an LLM made of a follow-up, to search for it: text, model, seconds, dropped.
ALTER TABLE answers ADD COLUMN rewriting jsonb;
