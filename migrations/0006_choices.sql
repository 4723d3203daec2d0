-- The intent that the asker chose when asked "did you mean"; the message is then a question of its own.
ALTER TABLE questions ADD COLUMN chosen text;

-- Under which name a kept reply is credited.
ALTER TABLE faqs ADD COLUMN author_name text NOT NULL DEFAULT '';
