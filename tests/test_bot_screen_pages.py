"""What the pages show and do: the right people's questions alone, as text, and every deed noted."""

import csv
import io
import json
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from store import answers, audit, channels, evaluations, gaps, people, questions, testset
from store.database import Database
from store.feedback import faqs, versions, votes
from store.index import hidden, sources
from store.records import READER, Answer, Ask, Citation, Passage, Shown, Vote
from tests.fakes import HashEmbedder
from tests.screen_parts import BOSS, NOW, TEAM, Browser, Slack, browser, parts_for
from tests.store_parts import ask as search
from tests.store_parts import begin, bodies, make, put

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>{{ 7*7 }}"
ENCODER = HashEmbedder()


def asked(
    database: Database,
    body: str,
    *,
    channel: str = "C1",
    person: str = "U1",
    is_private: bool = False,
    team: str = TEAM,
    status: str = "answered",
    source: str = "wiki",
    title: str = "Leave",
    at: datetime = NOW - timedelta(hours=1),
    quote: str = "28 days",
) -> UUID:
    """A question that was answered; give its id."""
    cited = Citation(title, "leave.md", None, quote, "", 0.9, None, source, 1)
    passage = Passage(
        1, source, "leave.md", title, "Days", None, quote, "00ff", None, 0, 0.9, vector=0.8
    )
    answer = Answer(
        uuid4(), body, status, 0.8, quote, (cited,), (passage,), "question", 0.9,  # type: ignore[arg-type]
        shown=(Shown(quote, (quote,), "leave.md", "Days"),), vector=tuple(ENCODER.encode([body])[0]),
    )  # fmt: skip
    with database.connection() as connection:
        ask = Ask(team, channel, str(uuid4()), person, body, "mention", is_private)
        question_id = questions.claim(connection, ask, at)
        assert question_id
        vector = ENCODER.encode([body])[0].tolist()
        answers.record(connection, team, question_id, answer, vector, 1, at)
        ended = at + timedelta(seconds=1)
        questions.end(connection, team, question_id, status, now=ended)  # type: ignore[arg-type]
    return question_id


@pytest.fixture
def boss(database: Database) -> Browser:
    return browser(parts_for(database, Slack()))


def deeds(database: Database) -> list[str]:
    with database.connection() as connection:
        found = [deed.action for deed in audit.last(connection, TEAM, 10)]
    assert "signed in" in found
    return [action for action in found if action != "signed in"]


def test_private_questions_are_shown_to_their_askers_alone(
    database: Database, boss: Browser
) -> None:
    asked(database, "open question")
    hidden_ones = [
        asked(database, "asked in a direct message", channel="D1", is_private=True),
        asked(database, "asked in a private channel", channel="C2SECRET"),
        asked(database, "asked elsewhere", team="T2"),
    ]
    mine = asked(database, "my own secret", channel="D9", person=BOSS, is_private=True)
    page, table = boss.text("conversations"), boss.text("conversations.csv")
    for text in (page, table):
        assert "open question" in text and "my own secret" in text
        for secret in (
            "direct message?",
            "in a direct",
            "private channel,",
            "in a private",
            "elsewhere",
        ):
            assert f"asked {secret}" not in text
    for question_id in hidden_ones:
        assert boss.get(f"conversations/{question_id}").status_code == 404
        for form in ("reply", "test"):
            path = f"conversations/{question_id}/{form}"
            assert boss.post(path, body="x", path="p", quote="q").status_code == 404
    assert boss.get(f"conversations/{mine}").status_code == 200
    assert "C2SECRET" not in boss.text("") and "a private channel" in boss.text("")


def test_what_people_and_documents_say_is_text_everywhere(
    database: Database, boss: Browser
) -> None:
    question_id = asked(database, EVIL, title=EVIL, quote=EVIL, source="wiki")
    with database.connection() as connection:
        found = answers.of(connection, TEAM, question_id)
        assert found
        vote = Vote(found.answer_id, "U2", -1, "button", reason="other", detail=EVIL)
        votes.cast(connection, TEAM, vote, NOW)
    assert boss.post(f"conversations/{question_id}/reply", body=EVIL).status_code == 303
    for path in ("", "conversations", f"conversations/{question_id}", "replies"):
        page = boss.text(path)
        assert (
            "<script>alert" not in page and "<img" not in page and "49" not in page.split("csrf")[0]
        )
    assert "&lt;script&gt;" in boss.text("conversations")


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_table_holds_no_formula(database: Database, boss: Browser, start: str) -> None:
    asked(database, f'{start}","=HYPERLINK("http://evil.example")')
    rows = list(csv.reader(io.StringIO(boss.text("conversations.csv"), newline="")))
    assert [row[2][0] for row in rows[1:]] == ["'"]
    assert deeds(database) == ["exported conversations"]


def test_conversations_are_filtered_and_paged(database: Database, boss: Browser) -> None:
    for number in range(60):
        asked(database, f"question {number} about leave", at=NOW - timedelta(minutes=number + 1))
    asked(database, "where is payroll", status="not_found", at=NOW - timedelta(days=40))
    first = boss.text("conversations")
    assert "question 49 " in first and "question 50 " not in first
    more = first.split('rel="next" href="/screen/')[1].split('"')[0].replace("&amp;", "&")
    second = boss.text(more)
    assert "question 50 " in second and "question 49 " not in second
    assert "payroll" not in first and "payroll" in boss.text("conversations?days=90&text=payroll")
    assert "payroll" in boss.text("conversations?days=90&status=not_found")
    assert "Nothing was found" in boss.text("conversations?least=90")
    assert "Nothing was found" in boss.text("conversations?thumbs=up")
    assert "question 1 " in boss.text("conversations?source=wiki&channel=C1&most=80&text=leaving")


@pytest.mark.parametrize(
    "given",
    ["text=%00", "text='%22%3B--", "status=nonsense", "least=x&most=-5", "after=2026_1", "thumbs=x",
     "after=2026-01-01T00:00:00%2B00:00_00000000-0000-0000-0000-000000000000", "from=x&to=y", "text=" + "a " * 900],
)  # fmt: skip
def test_any_filter_gives_a_page(boss: Browser, given: str) -> None:
    assert boss.get(f"conversations?{given}").status_code == 200
    assert boss.get(f"documents?{given}").status_code == 200


def test_an_answer_becomes_a_kept_reply_for_those_who_may_see_what_it_cites(
    database: Database, boss: Browser
) -> None:
    build = begin(database)
    with database.connection() as connection:
        connection.execute("UPDATE builds SET workspace_id = 'T1'")
    put_open = asked(database, "how many days", source="faq")
    assert boss.post(f"conversations/{put_open}/reply", body="Thirty.").status_code == 303
    assert boss.post(f"conversations/{put_open}/reply", body="Again.").status_code == 409
    with database.connection() as connection:
        found, _ = faqs.of_readers(connection, TEAM, ["*", "C1"])
    # The page that is cited is not there for everyone, so neither is the reply.
    assert [(one.body, one.state, one.audience) for one in found] == [
        ("Thirty.", "approved", ("C1",))
    ]
    assert "made a kept reply" in deeds(database) and build


def test_kept_replies_of_private_channels_are_counted_and_cannot_be_touched(
    database: Database, boss: Browser
) -> None:
    question_id = asked(database, "a secret matter", channel="C2SECRET")
    with database.connection() as connection:
        kept = faqs.adopt(
            connection, TEAM, question_id, "a secret reply", "U1", NOW, is_public=False
        )
    assert kept
    page = boss.text("replies")
    assert "secret" not in page and "1 more was kept in private channels" in page
    for deed in ("approve", "reject", "edit"):
        assert boss.post(f"replies/{kept.faq_id}/{deed}", body="x").status_code == 404


def test_a_kept_reply_is_edited_and_ends_when_it_should(database: Database, boss: Browser) -> None:
    question_id = asked(database, "who signs")
    with database.connection() as connection:
        kept = faqs.adopt(connection, TEAM, question_id, "Ana", "U1", NOW, is_public=True)
    assert kept
    for expires, serves in (("2999-01-01", True), ("2020-01-01", False), ("", True)):
        reply = boss.post(f"replies/{kept.faq_id}/edit", body="Ben", expires=expires)
        assert reply.status_code == 303
        with database.connection() as connection:
            vector = ENCODER.encode(["who signs"])[0].tolist()
            near = faqs.near(connection, TEAM, 1, vector, READER, 0.9)
            assert [faq.body for faq, _ in near] == (["Ben"] if serves else [])
            assert faqs.serves(connection, TEAM, str(kept.faq_id), READER) is serves
    assert boss.post(f"replies/{kept.faq_id}/edit", body="").status_code == 400
    assert boss.post(f"replies/{kept.faq_id}/edit", body="x", expires="soon").status_code == 400
    assert boss.post(f"replies/{kept.faq_id}/reject").status_code == 303
    assert {"rejected a kept reply", "edited a kept reply"} == set(deeds(database))


def test_gaps_are_tried_again_with_each_reply_that_comes_to_serve(
    database: Database, boss: Browser
) -> None:
    def tried() -> bool:
        """Whether gaps wait to be tried again; takes the job off."""
        with database.connection() as connection:
            taken = connection.execute(
                "DELETE FROM procrastinate_jobs WHERE task_name = 'retry_gaps'"
            )
        return taken.rowcount == 1

    question_id = asked(database, "who signs")
    boss.post(f"conversations/{question_id}/reply", body="Ana")
    assert tried()
    with database.connection() as connection:
        ((kept,), _) = faqs.of_readers(connection, TEAM, ["*", "C1"])
    boss.post(f"replies/{kept.faq_id}/reject")
    assert not tried()
    boss.post(f"replies/{kept.faq_id}/edit", body="Ben")
    assert not tried()
    boss.post(f"replies/{kept.faq_id}/approve")
    assert tried()
    boss.post(f"replies/{kept.faq_id}/edit", body="Ben", expires="2999-01-01")
    assert tried()


def test_a_question_joins_the_test_set(database: Database, boss: Browser) -> None:
    question_id = asked(database, "how many days")
    path = f"conversations/{question_id}/test"
    assert boss.post(path, answerable="on", path="leave.md", quote="28 days").status_code == 303
    assert boss.post(path, answerable="on", path="", quote="").status_code == 400
    with database.connection() as connection:
        (trial,) = testset.trials(connection, TEAM)
    assert (trial.body, trial.answerable, trial.path) == ("how many days", True, "leave.md")


def local(database: Database) -> Browser:
    return browser(parts_for(database, Slack(), workspace="local"))


def test_a_hidden_document_is_found_by_no_search_any_more(database: Database) -> None:
    build = begin(database)
    put(database, build, make("a.md", "leave is long"), make("b.md", "leave is short"))
    with database.connection() as connection:
        connection.execute("UPDATE builds SET state = 'live'")
        sources.register(connection, "local", "wiki", "folder", "/x", None)
    boss = local(database)
    assert set(bodies(search(database, "leave"))) == {"leave is long", "leave is short"}
    assert boss.post("documents/hide", source="wiki", path="a.md").status_code == 303
    assert bodies(search(database, "leave")) == ["leave is short"]
    assert "a.md" in boss.text("documents?order=hidden")
    put(
        database, build, make("a.md", "leave is long", audience=hidden.NOBODY)
    )  # as its next run does
    assert bodies(search(database, "leave")) == ["leave is short"]
    assert boss.post("documents/show", source="wiki", path="a.md").status_code == 303
    assert boss.post("documents/hide", source="nowhere", path="a.md").status_code == 404


def test_a_source_is_read_again_paused_and_resumed(database: Database, boss: Browser) -> None:
    with database.connection() as connection:
        sources.register(connection, TEAM, "wiki/pages", "folder", "/x", None)
        sources.register(connection, "T2", "other", "folder", "/y", None)
    assert "queued" in boss.post("sources/wiki/pages/read").headers["Location"]
    assert "waiting" in boss.post("sources/wiki/pages/read").headers["Location"]
    assert boss.post("sources/wiki/pages/pause").status_code == 303
    with database.connection() as connection:
        assert sources.paused(connection, TEAM) == {"wiki/pages"}
    assert boss.post("sources/wiki/pages/resume").status_code == 303
    assert boss.post("sources/other/pause").status_code == 404
    assert "other" not in boss.text("sources")
    assert {"resumed a source", "paused a source", "read a source again"} == set(deeds(database))


def test_a_channel_is_changed_by_its_form(database: Database, boss: Browser) -> None:
    with database.connection() as connection:
        for name in ("wiki", "handbook"):
            sources.register(connection, TEAM, name, "folder", "/x", None)
    form = {"mode": "questions", "strictness": "70", "sources": "some", "source": "wiki"}
    assert boss.post("channels/C1", **form, outsiders="on").status_code == 303
    with database.connection() as connection:
        found = channels.get(connection, TEAM, "C1")
    assert (found.mode, found.strictness, found.sources, found.outsiders) == (
        "questions", 0.7, ("wiki",), True,
    )  # fmt: skip
    for wrong in ({"mode": "x"}, {"sources": "some", "source": "nowhere"}, {"strictness": "101"}):
        assert boss.post("channels/C1", **{**form, **wrong}).status_code == 400
    assert boss.post("channels/..%2f", mode="off").status_code == 404
    assert "at questions" in boss.text("channels")


def test_a_version_is_promoted_and_rolled_back(database: Database, boss: Browser) -> None:
    with database.connection() as connection:
        first = versions.add(connection, TEAM, "fusion", NOW, payload={"weight": 0.4})
        other = versions.add(connection, "T2", "fusion", NOW)
        damaged = versions.add(connection, TEAM, "intents", NOW, path="gone")
    assert boss.post("nights/promote", version=str(first)).status_code == 303
    assert boss.post("nights/promote", version=str(other)).status_code == 404
    assert boss.post("nights/promote", version=str(damaged)).status_code == 409
    with database.connection() as connection:
        assert set(versions.serving(connection, TEAM)) == {"fusion"}
    assert boss.post("nights/roll-back", kind="fusion").status_code == 303
    assert boss.post("nights/roll-back", kind="fusion").status_code == 409
    assert boss.post("nights/roll-back", kind="nonsense").status_code == 404
    assert set(deeds(database)) == {"promoted a version", "rolled a version back"}


@pytest.mark.parametrize("path", ["nights/now", "intents/train"])
def test_work_is_queued_once(boss: Browser, path: str) -> None:
    assert "queued" in boss.post(path).headers["Location"]
    assert "waiting" in boss.post(path).headers["Location"]


def test_a_gap_is_given_muted_and_opened_again(database: Database, boss: Browser) -> None:
    question_id = asked(database, "how do I get a badge", status="not_found")
    with database.connection() as connection:
        member = gaps.Member(question_id, True, False, 0.9)
        (gap_id,) = gaps.regroup(connection, TEAM, [gaps.Group(None, (member,), NOW)], NOW)
    assert "how do I get a badge" in boss.text("gaps")
    for deed in ("assign", "mute", "reopen", "close"):
        assert boss.post(f"gaps/{gap_id}/{deed}", assignee="U7").status_code == 303
    assert boss.post(f"gaps/{gap_id}/close").status_code == 404
    assert boss.post(f"gaps/{gap_id}/nonsense").status_code == 404
    assert boss.post(f"gaps/{uuid4()}/mute").status_code == 404
    assert "how do I get a badge" in boss.text("gaps?state=closed")


def test_a_gap_of_a_channel_that_became_private_since_is_counted_alone(database: Database) -> None:
    slack = Slack()
    boss = browser(parts_for(database, slack))
    question_id = asked(database, "how do I get a badge", status="not_found")
    with database.connection() as connection:
        member = gaps.Member(question_id, True, False, 0.9)
        gaps.regroup(connection, TEAM, [gaps.Group(None, (member,), NOW)], NOW)
    assert "get a badge" in boss.text("gaps")
    slack.open.clear()
    assert "get a badge" not in boss.text("gaps") and "Asked in private only" in boss.text("gaps")


def test_two_evaluations_are_compared_and_the_test_set_is_taken_along(
    database: Database, boss: Browser
) -> None:
    question_id = asked(database, EVIL)
    with database.connection() as connection:
        for number, share in enumerate((0.5, 0.75)):
            report = {"questions": 100, "quote_first": share, "parts": {EVIL: 1}}
            at = NOW + timedelta(minutes=number)
            evaluations.add(connection, TEAM, "answers", EVIL, report, at)
        trial = testset.Trial(question_id, EVIL, True, "a.md", "words")
        testset.put(connection, TEAM, trial, BOSS, NOW)
    page = boss.text("quality")
    assert "+0.25" in page and "(0.66–0.82)" in page and "<script>alert" not in page
    (row,) = boss.text("quality/test-set.jsonl").splitlines()
    assert json.loads(row)["question"] == EVIL
    assert boss.post(f"quality/test-set/{question_id}/drop").status_code == 303
    assert boss.text("quality/test-set.jsonl") == ""


def test_the_doctor_is_asked_by_a_click(boss: Browser) -> None:
    assert "No worker runs" not in boss.text("system")
    assert "No worker runs" in boss.post("system/doctor").text


def test_pages_of_an_empty_installation_say_so(database: Database) -> None:
    boss = browser(parts_for(database, Slack(), workspace="local"))
    for rule in boss.client.application.url_map.iter_rules():
        is_by_slack = rule.endpoint in ("screen.slack", "screen.from_slack")
        if "GET" in (rule.methods or ()) and not rule.arguments and not is_by_slack:
            assert boss.client.get(rule.rule, buffered=True).status_code == 200, rule.rule


def test_a_forgotten_person_leaves_the_test_set_too(database: Database, boss: Browser) -> None:
    question_id = asked(database, "how many days", person="U7")
    boss.post(f"conversations/{question_id}/test", answerable="on", path="a.md", quote="28")
    with database.connection() as connection:
        people.forget(connection, TEAM, "U7")
        assert testset.trials(connection, TEAM) == []
