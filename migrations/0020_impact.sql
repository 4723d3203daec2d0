-- Of a very common word the chunks that say it most often are looked at first; two in three or more say it once,
-- and are not in here.
CREATE INDEX postings_by_impact ON postings (workspace_id, term, tf DESC, length)
    INCLUDE (chunk_id, scope_id) WHERE tf > 1;
