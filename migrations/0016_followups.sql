-- When a message was last edited (Slack's ts): an answer to an earlier wording is not given.
ALTER TABLE questions ADD COLUMN edited_ts text;

-- The text that a message forwarded, as people read it.
ALTER TABLE questions ADD COLUMN forwarded text;

-- Earlier messages of the thread with which a question was understood.
ALTER TABLE answers ADD COLUMN understood text;
