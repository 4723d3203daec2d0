-- What the reader of a reply sees of the documents, in order: [{"text", "marked": [..], "path", "heading"}].

ALTER TABLE answers ADD COLUMN shown jsonb NOT NULL DEFAULT '[]';
