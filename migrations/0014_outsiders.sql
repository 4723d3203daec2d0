-- Whether all who read a channel, also guests and people from elsewhere, may see what is open to everyone.
ALTER TABLE channel_settings ADD COLUMN outsiders boolean NOT NULL DEFAULT false;

-- Whether a message itself said that it came from another workspace.
ALTER TABLE questions ADD COLUMN is_outside boolean NOT NULL DEFAULT false;
