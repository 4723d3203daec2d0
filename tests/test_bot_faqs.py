"""Kept replies: by emoji or shortcut, approved by an admin, and shown nowhere else than they may be."""

from typing import Any, cast

import pytest

from bot.slack import markup, rich_text
from bot.slack.app import Bot
from store.database import Database
from store.feedback import faqs
from store.feedback.faqs import Faq
from store.index import embedders
from tests import slack_parts
from tests.fake_slack import BOT_USER, TEAM, FakeSlack, Fault
from tests.slack_parts import FakeServices, texts, work_off

ADMIN = "UBOSS"


def all_of(database: Database) -> list[Faq]:
    with database.connection() as connection:
        return faqs.open_ones(connection, TEAM)


def replied(
    fake: FakeSlack, services: FakeServices, *, channel: str = "C1", user: str = "U7"
) -> dict[str, Any]:
    """Ask, get an answer, and have a colleague reply in the thread; give the reply."""
    event = fake.say(f"<@{BOT_USER}> who orders the milk?", channel=channel)
    assert fake.event(event).ok
    work_off(services, fake)
    with services.database.connection() as connection:
        number = embedders.ensure_embedder(connection, TEAM, "tiny", 3)
        connection.execute("UPDATE answers SET embedder_id = %s, embedding = '[1,0,0]'", (number,))
    reply = fake.say(
        "Facilities do, on Mondays.", channel=channel, user=user, thread_ts=event["ts"]
    )
    fake.messages.append(reply)
    return reply


def test_a_bookmarked_reply_waits_for_an_admin_who_approves_it(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.people["U7"] = {"profile": {"display_name": "Office desk"}}
    reply = replied(fake, services)
    assert fake.react("bookmark", reply["ts"], user="U1").ok
    slack_parts.errands_done(bot)
    (kept,) = all_of(services.database)
    assert (kept.body, kept.author_name, kept.audience) == (
        "Facilities do, on Mondays.", "Office desk", ("*",)
    )  # fmt: skip
    assert texts(fake)[-1].startswith("Kept.")
    assert fake.command("/threadwise", "replies", user=ADMIN).ok
    shown = fake.wait_called("response_url")[-1].params
    assert "Office desk answered “who orders the milk?”" in shown["text"]
    approve, _ = shown["blocks"][1]["elements"]
    assert fake.action(approve, user="U2").ok
    slack_parts.errands_done(bot)
    assert [faq.state for faq in all_of(services.database)] == ["candidate"]
    assert fake.action(approve, user=ADMIN).ok
    slack_parts.errands_done(bot)
    assert all_of(services.database) == []
    assert texts(fake)[-1] == f"Approved by <@{ADMIN}>: who orders the milk?"


def test_the_shortcut_keeps_a_reply_once(fake: FakeSlack, services: FakeServices, bot: Bot) -> None:
    reply = replied(fake, services)
    assert fake.shortcut("keep_reply", reply).ok
    slack_parts.errands_done(bot)
    assert fake.shortcut("keep_reply", reply).ok
    slack_parts.errands_done(bot)
    assert len(all_of(services.database)) == 1
    assert [text[:8] for text in texts(fake)[-2:]] == ["Kept. On", "I can ke"]


def test_a_reply_that_was_kept_is_called_so_although_slack_refuses_to_say_it_at_first(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    reply = replied(fake, services)
    fake.fail("chat.postEphemeral", Fault(error="internal_error"))
    assert fake.react("bookmark", reply["ts"], user="U1").ok
    said = fake.wait_called("chat.postEphemeral", 2)
    assert [call.params["text"][:5] for call in said] == ["Kept.", "Kept."]


def test_neither_an_answer_of_the_bot_nor_a_lonely_message_is_kept(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    replied(fake, services)
    assert fake.shortcut("keep_reply", fake.messages[0]).ok
    assert fake.shortcut("keep_reply", fake.say("Lunch is at noon.")).ok
    slack_parts.errands_done(bot)
    assert all_of(services.database) == []


def test_a_reply_of_a_private_channel_is_shown_there_alone(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.private.add("C9")
    reply = replied(fake, services, channel="C9")
    assert fake.react("bookmark", reply["ts"], channel="C9").ok
    slack_parts.errands_done(bot)
    (kept,) = all_of(services.database)
    assert kept.audience == ("C9",)
    fake.command("/threadwise", "replies", user=ADMIN, channel="C1")
    fake.command("/threadwise", "replies", user=ADMIN, channel="C9")
    elsewhere, there = (call.params["text"] for call in fake.wait_called("response_url", 2))
    assert {"milk" in elsewhere, "milk" in there} == {False, True}


def test_forget_me_erases_what_is_kept_of_a_person(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    reply = replied(fake, services)
    fake.react("bookmark", reply["ts"], user="U1")
    fake.react("+1", fake.messages[0]["ts"], user="U7")
    slack_parts.errands_done(bot)
    assert fake.command("/threadwise", "forget me", user="U7").ok
    fake.wait_called("response_url")
    assert texts(fake)[-1].startswith(
        "Erased: 0 questions with their answers, 1 votes, 0 labels, 1"
    )
    assert all_of(services.database) == []


def test_a_listed_experts_check_mark_weighs_more(fake: FakeSlack, database: Database) -> None:
    settings = slack_parts.settings_for(fake, database.url, experts=("U8",))
    services = FakeServices(settings, database)
    with slack_parts.served(fake, settings, database):
        assert fake.event(fake.say(f"<@{BOT_USER}> days off?")).ok
        work_off(services, fake)
        for person in ("U8", "U2"):
            fake.react("white_check_mark", fake.messages[-1]["ts"], user=person)
    with database.connection() as connection:
        found = connection.execute("SELECT person, value, weight, origin FROM votes").fetchall()
    assert found == [("U8", 1, 3.0, "expert")]


def test_a_kept_reply_reads_as_people_read_it_and_its_link_leads_there(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    fake.people["U2"] = {"profile": {"display_name": "Front desk"}}
    fake.channels["C9"] = {"name": "crew-only", "is_private": True}
    reply = replied(fake, services)
    reply["text"] = (
        "<@U2> keeps it: see <https://x.example/a?b=1&amp;c=2|the crew list> &amp; ask in <#C8|crew>"
        " or <#C9>, <!here>"
    )
    assert fake.shortcut("keep_reply", reply).ok
    slack_parts.errands_done(bot)
    (kept,) = all_of(services.database)
    assert kept.body == (
        "@Front desk keeps it: see [the crew list](https://x.example/a?b=1&c=2) & ask in #crew"
        " or #channel, @here"
    )
    fake.command("/threadwise", "replies", user=ADMIN)
    shown = fake.wait_called("response_url", 2)[-1].params["blocks"][0]["text"]["text"]
    assert "<https://x.example/a?b=1&amp;c=2|the crew list> &amp; ask in #crew" in shown
    assert "<@" not in shown and "@here" not in shown


def test_a_kept_replys_link_stays_a_link_in_the_answer() -> None:
    quote = (
        "See [the list](https://x.example/a_(b)) or https://y.example/c, not [it](javascript:1)."
    )
    (block,) = rich_text.elements(quote.replace("(b)", "%28b%29"), (), links=True)
    parts = [(e["type"], e["text"], e.get("url")) for e in cast(list[Any], block["elements"])]
    assert [part for part in parts if part[0] == "link"] == [
        ("link", "the list", "https://x.example/a_%28b%29"),
        ("link", "https://y.example/c", "https://y.example/c"),
    ]


@pytest.mark.parametrize(
    "said", ["<https://evil.example|good.example>", "<https://evil.example|https://good.example/>"]
)
def test_a_kept_link_shows_where_it_leads_when_its_words_name_another_place(said: str) -> None:
    shown = markup.kept_mrkdwn(markup.kept(said, str))
    assert shown == "<https://evil.example|https://evil.example>"


def test_a_reply_to_a_threads_second_question_belongs_to_that_one(
    fake: FakeSlack, services: FakeServices, bot: Bot
) -> None:
    first = fake.say(f"<@{BOT_USER}> who orders the milk?")
    second = fake.say(f"<@{BOT_USER}> and who orders the tea?", thread_ts=first["ts"])
    reply = fake.say("The front desk does.", user="U7", thread_ts=first["ts"])
    third = fake.say(f"<@{BOT_USER}> and the sugar?", thread_ts=first["ts"])
    for event in (first, second, third):
        assert fake.event(event).ok
        work_off(services, fake)
    with services.database.connection() as connection:
        number = embedders.ensure_embedder(connection, TEAM, "tiny", 3)
        connection.execute("UPDATE answers SET embedder_id = %s, embedding = '[1,0,0]'", (number,))
    assert fake.shortcut("keep_reply", reply).ok
    slack_parts.errands_done(bot)
    assert [faq.question for faq in all_of(services.database)] == ["and who orders the tea?"]
