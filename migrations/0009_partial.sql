-- What of a document was not read, in short phrases; and dates that no page can have, which broke every search
-- that met them.
ALTER TABLE documents ADD COLUMN left_out text[] NOT NULL DEFAULT '{}';
UPDATE documents SET updated_at = NULL
WHERE updated_at < '1900-01-01 00:00+00' OR updated_at >= '2101-01-01 00:00+00';

-- Where a source is known from (the sources' file, by hand, or the example that comes with Threadwise), and
-- what is wrong with its settings, while the others go on.
ALTER TABLE sources ADD COLUMN origin text NOT NULL DEFAULT 'file' CHECK (origin IN ('file', 'hand', 'example'));
ALTER TABLE sources ADD COLUMN complaint text;
