-- Signatures of Slack's deliveries over HTTP, for ten minutes. Unlogged: a crash may forget them, since a
-- message that is delivered again is not answered again anyway.
CREATE UNLOGGED TABLE accepted_signatures (
    signature   text PRIMARY KEY,
    accepted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX accepted_signatures_by_age ON accepted_signatures (accepted_at);
