-- Gaps: topics of questions that found no answer, or one that people disliked.
CREATE TABLE gaps (
    workspace_id text NOT NULL,
    gap_id       uuid NOT NULL,
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'assigned', 'muted', 'closed')),
    assigned_to  text,
    closed_by    text CHECK (closed_by IN ('document', 'reply', 'person')),
    changed_by   text,
    found_at     timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, gap_id)
);
CREATE INDEX gaps_by_state ON gaps (workspace_id, state, changed_at DESC);

-- Which questions make a gap up, and how near each is to its middle (cosine). `is_public` says that it was asked
-- where every member may read it: only such a question is ever shown.
CREATE TABLE gap_questions (
    workspace_id text NOT NULL,
    question_id  uuid NOT NULL,
    gap_id       uuid NOT NULL,
    is_public    boolean NOT NULL,
    is_disliked  boolean NOT NULL,
    nearness     real NOT NULL,
    PRIMARY KEY (workspace_id, question_id)
);
CREATE INDEX gap_questions_by_gap ON gap_questions (workspace_id, gap_id, nearness DESC);

CREATE INDEX questions_not_found ON questions (workspace_id, claimed_at DESC) WHERE status = 'not_found';
CREATE INDEX votes_down ON votes (workspace_id, voted_at DESC) WHERE value < 0;
