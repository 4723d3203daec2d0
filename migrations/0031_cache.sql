-- Answers that were found before. Each is kept with the counters of all that it was made of, and is given again
-- only while these are the same: one counter for each scope of the documents, one for the rest of the workspace.
CREATE TABLE cached_answers (
    workspace_id  text NOT NULL,
    key           bytea NOT NULL,
    rights        uuid NOT NULL,
    scope_ids     integer[] NOT NULL,
    scope_changes bigint[] NOT NULL,
    faq_ids       uuid[] NOT NULL,
    changes       bigint NOT NULL,
    answer        jsonb NOT NULL,
    embedding     halfvec NOT NULL,
    asked_at      timestamptz NOT NULL,
    used_at       timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, key, rights)
);
CREATE INDEX cached_answers_by_use ON cached_answers (workspace_id, used_at DESC);

-- Whoever adds, removes or moves a chunk keeps its scope's counts, and whoever changes an audience writes it there.
ALTER TABLE scopes ADD COLUMN changes bigint NOT NULL DEFAULT 0;

CREATE FUNCTION count_scope_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changes := OLD.changes + 1;
    RETURN NEW;
END
$$;
CREATE TRIGGER scopes_changed BEFORE UPDATE ON scopes
    FOR EACH ROW EXECUTE FUNCTION count_scope_change();

CREATE TABLE workspace_changes (
    workspace_id text PRIMARY KEY,
    changes      bigint NOT NULL
);

-- Counts once in a transaction, and at its end: the row is then the last thing that it waits for.
CREATE FUNCTION count_workspace_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text := CASE TG_OP WHEN 'DELETE' THEN OLD.workspace_id ELSE NEW.workspace_id END;
BEGIN
    IF current_setting('threadwise.changed', true) IS DISTINCT FROM changed THEN
        INSERT INTO workspace_changes AS w VALUES (changed, 1)
        ON CONFLICT (workspace_id) DO UPDATE SET changes = w.changes + 1;
        PERFORM set_config('threadwise.changed', changed, true);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER memory_changed AFTER INSERT OR UPDATE OR DELETE ON memory
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_workspace_change();
CREATE CONSTRAINT TRIGGER faqs_changed AFTER INSERT OR UPDATE OR DELETE ON faqs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_workspace_change();
CREATE CONSTRAINT TRIGGER model_versions_changed AFTER INSERT OR UPDATE OR DELETE ON model_versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_workspace_change();
CREATE CONSTRAINT TRIGGER second_vectors_changed AFTER INSERT OR DELETE ON second_vectors
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_workspace_change();
