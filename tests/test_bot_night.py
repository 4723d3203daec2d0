"""A night waits for votes, learns the same votes once, keeps its report, and undoes what people dislike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID
from xml.etree import ElementTree

import psycopg
import pytest

from bot.intents import IntentFile
from bot.learning import feedback, night, promotion, report, rollback
from bot.learning.fit_ranking import FitInput
from bot.learning.promotion import Verdict
from bot.services import Services
from store import channels
from store.channels import ChannelSettings
from store.database import Database
from store.feedback import likes, memory, nights, versions, votes
from store.feedback.nights import Night
from store.index import embedders
from store.records import EVERYONE, Vote
from tests.fakes import HashEmbedder
from tests.judged import ENCODER, NOW, TEAM, answered, index, vote
from tests.store_parts import waited_for

NIGHT = datetime(2026, 3, 3, 3, 30, tzinfo=UTC)


@dataclass
class Parts:
    """The few parts of Services that a night needs."""

    database: Database
    workspace: str = TEAM
    embedder: HashEmbedder = ENCODER
    intents: IntentFile = field(default_factory=lambda: IntentFile(Path("nowhere.toml")))


@pytest.fixture
def team(database: Database) -> Iterator[Services]:
    index(database, {"holidays": (EVERYONE,)})
    vote(database, answered(database, "when may I take leave", "holidays"), "U1", 1)
    yield cast(Services, Parts(database))


def test_a_night_with_few_votes_waits_and_says_how_many_are_missing(team: Services) -> None:
    found = night.run(team, now=NIGHT)
    assert (found.judged, found.liked, found.voters) == (1, 1, 1)
    assert {v.decision for v in found.verdicts} == {"waiting"}
    assert "199 more judged questions" in found.verdicts[0].reason
    with team.database.connection() as connection:
        assert versions.serving(connection, TEAM) == {}
        (kept,) = nights.last(connection, TEAM)
    assert kept.report["judged"] == 1


def test_what_one_person_says_beyond_their_share_is_left_out(team: Services) -> None:
    for number in range(feedback.LEAST + 9):
        answer_id = answered(team.database, f"leave {number}", "holidays")
        with team.database.connection() as connection:
            at = NOW + timedelta(days=number // memory.PERSON_VOTES)
            votes.cast(connection, TEAM, Vote(answer_id, "U7", -1, "button"), at)
    found = night.run(team, now=NIGHT)
    assert (found.disliked, found.liked, found.voters) == (feedback.LEAST, 1, 2)
    assert "9 votes left out" in "\n".join(report.lines(found))


def test_the_same_votes_are_learned_from_once(team: Services) -> None:
    assert night.run(team, now=NIGHT).is_new
    again = night.run(team, now=NIGHT + timedelta(days=1))
    assert not again.is_new and again.verdicts == ()
    vote(team.database, answered(team.database, "leave in may", "holidays"), "U2", -1)
    assert night.run(team, now=NIGHT + timedelta(days=2)).is_new


def test_a_dry_run_keeps_nothing(team: Services) -> None:
    assert night.run(team, dry_run=True, now=NIGHT).is_dry
    with team.database.connection() as connection:
        assert nights.last(connection, TEAM) == []


def test_two_nights_cannot_run_at_once(team: Services) -> None:
    with nights.only_one(team.database, TEAM), pytest.raises(nights.Busy):
        night.run(team, now=NIGHT)
    assert night.run(team, now=NIGHT).is_new


def test_a_promotion_that_people_clearly_dislike_is_rolled_back(team: Services) -> None:
    database = team.database
    for number in range(rollback.MIN_VOTES):
        vote(database, answered(database, f"q{number}", "holidays"), f"U{number}", 1)
    promoted_at = NOW + timedelta(hours=1)
    with database.connection() as connection:
        version = versions.add(connection, TEAM, "title", NOW, payload={"title_weight": 0.4})
        versions.promote(connection, TEAM, version, promoted_at)
        assert rollback.roll_back(connection, TEAM, promoted_at + timedelta(hours=1)) == ()
    for number in range(rollback.MIN_VOTES):
        answer_id = answered(database, f"r{number}", "holidays")
        vote(database, answer_id, f"U{number}", -1)
        with database.connection() as connection:
            connection.execute(
                "UPDATE answers SET created_at = %s WHERE answer_id = %s",
                (promoted_at + timedelta(minutes=1), answer_id),
            )
    with database.connection() as connection:
        later = promoted_at + timedelta(hours=1)
        counted = likes.between(connection, TEAM, promoted_at, later, least=rollback.LEAST)
        assert counted == (0, rollback.MIN_VOTES)
        assert rollback.roll_back(connection, TEAM, later) == ("title",)
        assert versions.serving(connection, TEAM) == {}


def judged(database: Database, value: int, at: datetime, people: list[str]) -> None:
    """Let each person judge one answer given at that time, with a vote at that time."""
    for person in people:
        answer_id = answered(database, f"asked by {person} at {at}", "holidays")
        with database.connection() as connection:
            connection.execute(
                "UPDATE answers SET created_at = %s WHERE answer_id = %s", (at, answer_id)
            )
            votes.cast(connection, TEAM, Vote(answer_id, person, value, "button"), at)


def promoted(database: Database, at: datetime) -> None:
    with database.connection() as connection:
        version = versions.add(connection, TEAM, "title", at, payload={"title_weight": 0.4})
        versions.promote(connection, TEAM, version, at)


def always(given: FitInput) -> Verdict:
    """A part whose candidate always passes, however the votes are."""
    return Verdict("title", "promoted", "better", {}, {"title_weight": 0.4})


CROWD = [f"P{number}" for number in range(rollback.MIN_VOTES)]


def test_what_was_rolled_back_is_not_promoted_again_the_nights_after(team: Services) -> None:
    judged(team.database, 1, NIGHT - timedelta(days=1), CROWD)
    promoted(team.database, NIGHT)
    judged(team.database, -1, NIGHT + timedelta(hours=5), CROWD)
    found = []
    for number in range(1, 5):
        at = NIGHT + timedelta(days=number)
        # One more vote, so that there is something new to fit to.
        judged(team.database, -1, at - timedelta(hours=1), ["P0"])
        found.append(night.run(team, now=at, parts={"title": always}))
    assert [one.rolled_back for one in found] == [("title",), (), (), ()]
    assert {one.verdicts[0].decision for one in found} == {"waiting"}
    assert "rests until 2026-03-18" in found[0].verdicts[0].reason
    with team.database.connection() as connection:
        assert versions.serving(connection, TEAM) == {}


def test_a_kind_that_rested_is_promoted_when_enough_new_answers_were_judged(team: Services) -> None:
    promoted(team.database, NIGHT)
    with team.database.connection() as connection:
        versions.roll_back(connection, TEAM, "title", NIGHT)
    later = NIGHT + rollback.WATCHED + timedelta(days=1)
    judged(team.database, 1, later - timedelta(hours=2), CROWD)
    assert night.run(team, now=later, parts={"title": always}).verdicts[0].decision == "waiting"
    crowd = [f"Q{number}" for number in range(promotion.MIN_JUDGED)]
    judged(team.database, 1, later - timedelta(hours=1), crowd)
    again = night.run(team, now=later + timedelta(days=1), parts={"title": always})
    assert again.verdicts[0].decision == "promoted"


def test_one_persons_dislikes_do_not_roll_back(team: Services) -> None:
    judged(team.database, 1, NIGHT - timedelta(days=1), CROWD)
    promoted(team.database, NIGHT)
    for day in range(3):
        at = NIGHT + timedelta(days=day, hours=1)
        judged(team.database, -1, at, ["P0"] * 40)
    assert night.run(team, now=NIGHT + timedelta(days=4), parts={}).rolled_back == ()


def test_dislikes_of_what_was_rolled_back_do_not_take_the_next_with_it(team: Services) -> None:
    judged(team.database, 1, NIGHT - timedelta(days=1), CROWD)
    with team.database.connection() as connection:
        version = versions.add(connection, TEAM, "fusion", NIGHT, payload={"vector_weight": 0.4})
        versions.promote(connection, TEAM, version, NIGHT)
    promoted(team.database, NIGHT + timedelta(minutes=1))
    judged(team.database, -1, NIGHT + timedelta(hours=5), CROWD)
    found = [
        night.run(team, now=NIGHT + timedelta(days=day), parts={}).rolled_back for day in (1, 2)
    ]
    assert found == [("title",), ()]


def test_what_is_promoted_by_hand_while_a_night_rolls_back_goes_on_serving(team: Services) -> None:
    database, later = team.database, NIGHT + timedelta(days=1)
    judged(database, 1, NIGHT - timedelta(days=1), CROWD)
    promoted(database, NIGHT)
    judged(database, -1, NIGHT + timedelta(hours=5), CROWD)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database.url) as admin:
        chosen = versions.add(admin, TEAM, "title", later, payload={"title_weight": 0.2})
        versions.promote(admin, TEAM, chosen, later)
        held = pool.submit(night.run, team, now=later, parts={})
        waited_for(database, admin.info.backend_pid, held)
        admin.commit()
        assert held.result(30).rolled_back == ()
    with database.connection() as connection:
        assert versions.serving(connection, TEAM)["title"].version_id == chosen


def never_passes(given: FitInput) -> Verdict:
    """A part that is tested each time, and never passes."""
    numbers = {"judged": len(given.feedback.rows), "p": 0.5, "alpha": given.level}
    return Verdict("title", "refused", "no better", numbers)


def test_a_part_is_tested_again_only_on_many_new_votes_and_at_a_lower_level(team: Services) -> None:
    at = NIGHT
    found = []
    for people in (CROWD[:9], CROWD[:1], CROWD[:4]):
        judged(team.database, 1, at - timedelta(hours=1), people)
        found.append(night.run(team, now=at, parts={"title": never_passes}).verdicts[0])
        at += timedelta(days=1)
    assert [verdict.decision for verdict in found] == ["refused", "waiting", "refused"]
    assert "4 more judged questions" in found[1].reason
    first, second = found[0].numbers, found[2].numbers
    assert (first["look"], second["look"]) == (1, 2)
    assert second["alpha"] < first["alpha"]


def test_a_night_learns_from_the_latest_answers_and_says_how_many_it_left_out(
    team: Services,
) -> None:
    for number in range(3):
        judged(team.database, 1, NIGHT - timedelta(hours=3 - number), ["P0"])
    with team.database.connection() as connection:
        number = embedders.embedder_id(ENCODER.name)
        rows = memory.judged(connection, TEAM, number, 50, answers=2)
    assert [row.voted_at for row in rows] == [NIGHT - timedelta(hours=h) for h in (2, 1)]
    found = replace(night.run(team, now=NIGHT), older=7)
    assert "7 older judged answers left out" in "\n".join(report.lines(found))


def test_a_question_is_searched_for_again_where_its_channel_looks(team: Services) -> None:
    with team.database.connection() as connection:
        elsewhere = ChannelSettings("C1", sources=("wiki",))
        channels.put(connection, TEAM, elsewhere, "U1", NOW)
        number = embedders.embedder_id(ENCODER.name)
        assert len(feedback.load(connection, TEAM, number).rows) == 0
        channels.put(connection, TEAM, replace(elsewhere, sources=("docs",)), "U1", NOW)
        assert len(feedback.load(connection, TEAM, number).rows) == 1


def test_the_report_is_published_as_a_message_and_a_picture(team: Services, tmp_path: Path) -> None:
    found = night.run(team, now=NIGHT)
    with team.database.connection() as connection:
        known = nights.last(connection, TEAM)
    published = report.publish(found, known, tmp_path / "home")
    assert "1 judged questions by 1 people" in published.message
    assert published.picture is not None
    drawn = ElementTree.parse(published.picture).getroot()
    assert len(drawn.findall("{*}circle")) == 1
    assert published.as_json()["picture"] == str(tmp_path / "home" / "learning.svg")


def test_a_night_kept_by_an_earlier_version_has_its_place_in_the_curve() -> None:
    night_before = Night(UUID(int=1), NIGHT, 1.0, "", {"judged": 3})
    assert report.point(night_before).judged == 0
    assert report.earlier([night_before]) == [("2026-03-03", "3", "nothing was judged", "nothing")]


def test_the_report_tells_how_the_nights_went(team: Services) -> None:
    judged_at = NIGHT + timedelta(days=1)
    for number in range(2):
        vote(team.database, answered(team.database, f"q{number}", "holidays"), "U2", -1)
        found = night.run(team, now=judged_at + timedelta(days=number))
    with team.database.connection() as connection:
        known = nights.last(connection, TEAM)
        assert len(known) == 2
    shown = report.message(found, known)
    assert "Nights so far" in shown
    assert [line for line in shown.splitlines() if line.startswith("2026-03-05: liked ")]
    assert shown.endswith("promoted: nothing")
