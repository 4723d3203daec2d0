"""Fills a store with what a team asked in a year, in SQL: questions, answers, votes, nights, versions.

Knows nothing about what is measured on it. Every text is made up; nothing is random.
"""

from store.database import Connection

_DOCUMENTS = """
INSERT INTO sources (workspace_id, name, kind, address, schedule, last_success, next_run, last_error)
SELECT %(team)s, name, 'folder', '/srv/' || name, '@hourly', now() - interval '20 minutes',
       now() + interval '40 minutes', CASE name WHEN 'archive' THEN 'The disk of /srv/archive is not mounted.' END
FROM unnest(ARRAY['handbook', 'engineering', 'archive']) AS name;
INSERT INTO builds (workspace_id, build_id, source, embedder_id, chunker, state, started_at)
SELECT %(team)s, array_position(ARRAY['handbook', 'engineering', 'archive'], name), name, 1, 'v1', 'live', now() FROM sources WHERE workspace_id = %(team)s;
INSERT INTO scopes (workspace_id, scope_id, build_id, audience, chunks)
SELECT %(team)s, build_id, build_id, '{*}', 4000 FROM builds WHERE workspace_id = %(team)s;
INSERT INTO documents (workspace_id, document_id, build_id, scope_id, path, version, content_hash, title, url,
                       updated_at, ingested_at, chunks, left_out)
SELECT %(team)s, n, 1 + n %% 3, 1 + n %% 3, 'pages/topic-' || n || '.md', '1', '\\x00', 'How topic ' || n || ' works',
       'https://docs.example/topic-' || n, now() - n %% 900 * interval '1 day', now() - interval '1 day', 5,
       CASE WHEN n %% 40 = 0 THEN ARRAY['page 2 of 3 is a picture without text'] ELSE '{}' END
FROM generate_series(1, %(documents)s) AS n;
INSERT INTO failures (workspace_id, source, path, version, is_skip, reason, failed_at)
SELECT %(team)s, 'archive', 'old/scan-' || n || '.pdf', '1', n %% 3 = 0, 'All 12 pages are pictures without text.',
       now() FROM generate_series(1, 12) AS n;
INSERT INTO runs (workspace_id, run_id, source, state, started_at, seen_at, finished_at, total, seen, changed,
                  unchanged, failed, error)
SELECT %(team)s, gen_random_uuid(), name, CASE WHEN name = 'archive' AND n = 1 THEN 'failed' ELSE 'done' END,
       now() - n * interval '1 hour', now() - n * interval '1 hour', now() - n * interval '59 minutes', 300, 300, n,
       300 - n, 0, CASE WHEN name = 'archive' AND n = 1 THEN 'The disk of /srv/archive is not mounted.' END
FROM sources CROSS JOIN generate_series(1, 8) AS n WHERE workspace_id = %(team)s;
"""

_QUESTIONS = """
INSERT INTO questions (workspace_id, question_id, channel, message_ts, person, body, origin, is_private, claimed_at,
                       status, intent, intent_confidence, timings, ended_at)
SELECT %(team)s, md5('q' || n)::uuid, CASE WHEN n %% 9 = 0 THEN 'D' || n %% 200 ELSE 'C' || n %% 40 END, n::text,
       'U' || n %% 500, 'How does topic ' || n %% 5000 || ' work when ' ||
       (ARRAY['travelling', 'ill', 'new here', 'on call', 'working from home'])[1 + n %% 5] || '?',
       'mention', n %% 9 = 0, now() - interval '364 days' * ((%(questions)s - n)::float8 / %(questions)s), status,
       (ARRAY['question', 'question', 'question', 'time_off', 'access_request'])[1 + n %% 5], 0.5 + (n %% 50) / 100.0,
       '{"search": 31.5, "total": 180.2}',
       now() - interval '364 days' * ((%(questions)s - n)::float8 / %(questions)s) + (0.2 + n %% 37 / 10.0) * interval '1 second'
FROM (SELECT n, CASE WHEN n %% 211 = 0 THEN 'failed' WHEN n %% 11 = 0 THEN 'unsure' WHEN n %% 6 = 0 THEN 'not_found'
                WHEN n %% 29 = 0 THEN 'routed' WHEN n %% 31 = 0 THEN 'smalltalk' ELSE 'answered' END AS status
      FROM generate_series(1, %(questions)s) AS n) AS numbered;
INSERT INTO answers (workspace_id, answer_id, question_id, status, confidence, body, citations, passages, signals,
                     versions, shown, created_at, channel, posted_ts)
SELECT %(team)s, md5('a' || n)::uuid, q.question_id, q.status, 0.3 + (n %% 70) / 100.0,
       CASE WHEN q.status IN ('answered', 'unsure') THEN 'Topic ' || n %% 5000 || ' works as the page says.' END,
       CASE WHEN q.status IN ('answered', 'unsure') THEN jsonb_build_array(jsonb_build_object(
           'title', 'How topic ' || d || ' works', 'path', 'pages/topic-' || d || '.md', 'url', 'https://docs.example/topic-' || d,
           'quote', 'Topic ' || d || ' works as the page says.', 'heading', 'Rules', 'score', 0.8, 'chunk_id', d,
           'source', (ARRAY['handbook', 'engineering', 'archive'])[1 + d %% 3], 'updated_at', NULL)) ELSE '[]' END,
       CASE WHEN q.status IN ('answered', 'unsure', 'not_found') THEN (SELECT jsonb_agg(jsonb_build_object(
           'chunk_id', d + k, 'source', (ARRAY['handbook', 'engineering', 'archive'])[1 + (d + k) %% 3],
           'path', 'pages/topic-' || d + k || '.md', 'title', 'How topic ' || d + k || ' works', 'heading', 'Rules',
           'url', 'https://docs.example/topic-' || d + k, 'body', repeat('Topic works as the page says. ', 6),
           'text_hash', md5('t' || d + k), 'updated_at', NULL, 'position', 0, 'score', 0.9 - k / 12.0,
           'vector', 0.8 - k / 20.0, 'lexical', 12.5 - k)) FROM generate_series(0, 9) AS k) ELSE '[]' END,
       '{"cosine": 0.78, "margin": 0.12}', '{"encoder": "all-MiniLM-L6-v2", "thresholds": "built in"}',
       CASE WHEN q.status IN ('answered', 'unsure') THEN jsonb_build_array(jsonb_build_object(
           'text', 'Topic ' || d || ' works as the page says. Ask its owner first.',
           'marked', jsonb_build_array('Topic ' || d || ' works as the page says.'),
           'path', 'pages/topic-' || d || '.md', 'heading', 'Rules')) ELSE '[]' END,
       q.ended_at, q.channel, n::text
FROM (SELECT *, message_ts::int AS n, 1 + message_ts::int %% greatest(1, %(documents)s - 10) AS d FROM questions
      WHERE workspace_id = %(team)s AND status <> 'failed') AS q;
INSERT INTO votes (workspace_id, answer_id, person, value, reason, origin, voted_at)
SELECT %(team)s, answer_id, 'U' || posted_ts::int %% 499, CASE WHEN posted_ts::int %% 35 = 0 THEN -1 ELSE 1 END,
       CASE WHEN posted_ts::int %% 35 = 0 THEN 'outdated' END, 'button', created_at + interval '1 minute'
FROM answers WHERE workspace_id = %(team)s AND posted_ts::int %% 5 = 0 AND status IN ('answered', 'unsure');
INSERT INTO thumbs SELECT workspace_id, answer_id, person, value, weight, true, voted_at FROM votes
WHERE workspace_id = %(team)s;
INSERT INTO labels (workspace_id, question_id, person, intent, origin, labelled_at)
SELECT %(team)s, question_id, 'UBOSS', 'time_off', 'admin', claimed_at FROM questions
WHERE workspace_id = %(team)s AND message_ts::int %% 1000 = 1;
"""

_LEARNED = """
INSERT INTO faqs (workspace_id, faq_id, question, body, author, author_name, asker, audience, channel, message_ts,
                  embedder_id, embedding, state, kept_at, flagged_at)
SELECT %(team)s, md5('f' || n)::uuid, 'Who signs off topic ' || n || '?', 'The owner of topic ' || n || ' does, by mail.',
       'U' || n, 'Colleague ' || n, 'U9', '{*}', 'C1', n::text, 1, '[1,0]',
       CASE WHEN n %% 4 = 0 THEN 'candidate' ELSE 'approved' END, now() - n * interval '1 day',
       CASE WHEN n %% 7 = 0 THEN now() END
FROM generate_series(1, 40) AS n;
INSERT INTO channel_settings (workspace_id, channel, mode, sources, changed_by, changed_at)
SELECT %(team)s, 'C' || n, (ARRAY['mention', 'questions', 'all', 'off'])[1 + n %% 4],
       CASE WHEN n %% 2 = 0 THEN ARRAY['handbook'] END, 'UBOSS', now() FROM generate_series(1, 12) AS n;
INSERT INTO model_versions (workspace_id, version_id, kind, payload, report, created_at, promoted_at, is_serving)
SELECT %(team)s, md5('v' || n)::uuid, (ARRAY['fusion', 'confidence', 'memory', 'thresholds'])[1 + n %% 4], '{"weight": 0.42}',
       '{"judged": 240, "better": 31, "worse": 9, "p": 0.0006}', now() - n * interval '9 days',
       now() - n * interval '9 days', n <= 4
FROM generate_series(1, 16) AS n;
INSERT INTO nights (workspace_id, night_id, started_at, seconds, data_hash, report)
SELECT %(team)s, md5('n' || n)::uuid, now() - n * interval '1 day', 42.5, '', jsonb_build_object(
       'judged', 900 - n * 2, 'liked', 800 - n * 2, 'disliked', 100, 'voters', 80, 'seconds', 42.5,
       'like_rate', jsonb_build_object('judged', 120, 'liked', 108 - n / 8, 'interval', jsonb_build_array(0.78, 0.95)),
       'parts', jsonb_build_array(
           jsonb_build_object('kind', 'fusion', 'decision', CASE WHEN n %% 20 = 0 THEN 'promoted' ELSE 'refused' END,
               'reason', 'held-out votes do not say better: 12 against 10 changes, p 0.4159 (needed: 0.0036)',
               'numbers', jsonb_build_object('judged', 240, 'better', 12, 'worse', 10, 'p', 0.4159, 'alpha', 0.0036)),
           jsonb_build_object('kind', 'intents', 'decision', 'waiting', 'reason', '40 more labels are needed (160 of 200).',
               'numbers', jsonb_build_object('have', 160, 'need', 200))))
FROM generate_series(1, 120) AS n;
INSERT INTO evaluations (workspace_id, evaluation_id, kind, detail, made_at, report)
SELECT %(team)s, md5('e' || n)::uuid, 'answers', 'questions.jsonl', now() - n * interval '1 day',
       jsonb_build_object('questions', 163, 'quote_first', 0.7 - n / 100.0, 'page_first', 0.81, 'crag', 0.4)
FROM generate_series(1, 5) AS n;
INSERT INTO test_questions (workspace_id, question_id, body, answerable, path, quote, added_by, added_at)
SELECT %(team)s, md5('q' || n)::uuid, 'How does topic ' || n || ' work?', true, 'pages/topic-1.md', 'As the page says.',
       'UBOSS', now() FROM generate_series(1, 8) AS n;
INSERT INTO gaps (workspace_id, gap_id, state, found_at, changed_at)
SELECT %(team)s, md5('g' || n)::uuid, 'open', now(), now() FROM generate_series(1, 30) AS n;
INSERT INTO gap_questions (workspace_id, question_id, gap_id, is_public, is_disliked, nearness)
SELECT %(team)s, question_id, md5('g' || 1 + message_ts::int %% 30)::uuid, NOT is_private, false, 0.8
FROM questions WHERE workspace_id = %(team)s AND status = 'not_found' ORDER BY claimed_at DESC LIMIT 300;
INSERT INTO model_versions (workspace_id, version_id, kind, report, created_at, promoted_at, is_serving)
SELECT %(team)s, md5('i1')::uuid, 'intents', '{"serves": "bert", "rows": 1400, "bert": {"accuracy": 0.91, "macro_f1": 0.9,
       "oos_recall": 0.8, "intents": {"time_off": {"examples": 20, "precision": 0.9, "recall": 0.95, "f1": 0.92}},
       "confusions": [["time_off", "payday_expenses", 3], ["human", "chatter", 2]]}}', now(), now(), true;
INSERT INTO audit (workspace_id, audit_id, person, action, detail, happened_at)
SELECT %(team)s, gen_random_uuid(), 'UBOSS', 'read a source again', 'handbook', now() - n * interval '1 hour'
FROM generate_series(1, 60) AS n;
"""


def fill(connection: Connection, team: str, *, questions: int, documents: int) -> None:
    """Store a year of so many questions over so many documents."""
    given = {"team": team, "questions": questions, "documents": documents}
    for part in (_DOCUMENTS, _QUESTIONS, _LEARNED):
        for statement in part.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), given)
    connection.execute("ANALYZE")
