-- Every thumb that a person has put under an answer, or taken away again. The vote is the latest that is left.
CREATE TABLE thumbs (
    workspace_id text NOT NULL,
    answer_id    uuid NOT NULL,
    person       text NOT NULL,
    value        smallint NOT NULL CHECK (value IN (-1, 1)),
    weight       real NOT NULL,
    is_left      boolean NOT NULL,
    moved_at     timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, answer_id, person, value, weight)
);
CREATE INDEX thumbs_by_person ON thumbs (workspace_id, person);

INSERT INTO thumbs SELECT workspace_id, answer_id, person, value, weight, true, voted_at FROM votes;
