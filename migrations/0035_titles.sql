-- A title that an LLM gave to a gap, the questions that it was made from and their channels: it is shown only where all
-- of these may be, and goes when one of its questions does.
ALTER TABLE gaps ADD COLUMN title text;
ALTER TABLE gaps ADD COLUMN title_questions uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE gaps ADD COLUMN title_channels text[] NOT NULL DEFAULT '{}';
