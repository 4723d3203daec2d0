-- A question in the agent's pane is marked by its session; a stop button ends it.
ALTER TABLE questions DROP CONSTRAINT questions_marker_check;
ALTER TABLE questions ADD CONSTRAINT questions_marker_check
    CHECK (marker IN ('status', 'eyes', 'none', 'session')) NOT VALID;

-- What people liked lately, for what a newcomer may ask.
CREATE INDEX votes_up ON votes (workspace_id, voted_at DESC) WHERE value > 0;
