-- Up to when the clock has deferred what recurs, so that what was missed is made up for, once.
CREATE TABLE recurring (
    name      text PRIMARY KEY,
    done_till timestamptz NOT NULL
);
