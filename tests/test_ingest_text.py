"""Text and Markdown: any encoding, front matter, and nothing in quotes that is no content."""

from datetime import UTC, datetime

import pytest

from ingest.entries import Unreadable
from ingest.parsing import text

JAPANESE = "休暇の申請は上司に提出してください。\n給与は毎月25日に支払われます。"


@pytest.mark.parametrize(
    ("encoding", "sample"),
    [
        ("utf-8", JAPANESE),
        ("utf-8-sig", JAPANESE),
        ("utf-16", JAPANESE),
        ("utf-16-le", "plain words in UTF-16 without a mark"),
        ("utf-16-be", "plain words in UTF-16 without a mark"),
        ("cp932", JAPANESE),
        ("cp932", "休暇申請"),
        ("cp1252", "The café’s naïve résumé – “quoted”, as people do."),
        ("cp1251", "Как оформить отпуск в компании"),
        ("koi8_r", "Ключ у вахтёра"),
        ("cp1250", "Klíč je u vrátného Dvořáka"),
        ("cp1253", "Το κλειδί είναι στο γραφείο"),
        ("cp1254", "Şifre değişti"),
        ("cp1255", "המפתח נמצא אצל השומר"),
        ("cp1256", "المفتاح عند الحارس"),
        ("cp1252", "Größe und Füße"),
        ("cp1252", "50 €"),
        ("gb18030", "请假申请"),
        ("gb18030", "钥匙在前台。"),
        ("big5", "會議室的鑰匙由王經理保管"),
        ("cp949", "열쇠는 안내 데스크에 있습니다."),
        ("euc_jp", "パスワード変更"),
        ("utf-16-le", "Ключ"),
        ("utf-16-be", "鍵は受付にあります。"),
        ("utf-16-le", "请假申请\n请假申请"),
    ],
)
def test_text_is_read_in_its_encoding(encoding: str, sample: str) -> None:
    assert text.decode(sample.encode(encoding)) == sample


def test_binary_is_refused() -> None:
    with pytest.raises(Unreadable, match="binary"):
        text.decode(bytes(range(256)) * 20)


def test_a_damaged_byte_does_not_lose_the_text() -> None:
    damaged = "gute Wörter ".encode() * 10_000 + b"\xff" + b" mehr"
    assert text.decode(damaged).endswith("Wörter \ufffd mehr")
    assert text.decode(b"M\xc3\xbcller \xff") == "Müller \ufffd"


def test_a_late_letter_tells_the_encoding() -> None:
    assert text.decode(b"plain words\n" * 20_000 + b"Schl\xfcssel").endswith("Schlüssel")


def test_line_ends_become_one() -> None:
    assert text.decode(b"a\r\nb\rc\n") == "a\nb\nc\n"


def test_front_matter_gives_title_and_date() -> None:
    parsed = text.markdown(b"---\ntitle: Pay\nupdated: 2025-02-03\ntags: [a]\n---\n# Pay day\n")
    assert (parsed.title, parsed.updated_at) == ("Pay", datetime(2025, 2, 3, tzinfo=UTC))
    assert (parsed.facts, parsed.body) == ("Updated: 2025-02-03\nTags: a", "# Pay day\n")


def test_toml_front_matter_is_read() -> None:
    parsed = text.markdown(b'+++\ntitle = "Pay"\ndate = 2025-02-03T10:00:00Z\n+++\nbody')
    assert (parsed.title, parsed.updated_at) == ("Pay", datetime(2025, 2, 3, 10, tzinfo=UTC))


def test_the_newest_kind_of_date_counts() -> None:
    parsed = text.markdown(b"---\ndate: 2020-01-01\nlast-updated: '2024-05-06'\n---\nx")
    assert parsed.updated_at == datetime(2024, 5, 6, tzinfo=UTC)


def test_broken_front_matter_costs_only_itself() -> None:
    parsed = text.markdown(b"---\ntitle: Pay: the day\nx: [\n---\nbody")
    assert (parsed.title, parsed.body) == ("Pay: the day", "body")


def test_two_rules_are_no_front_matter() -> None:
    assert text.markdown(b"---\nhello there\n---\nbody").body == "---\nhello there\n---\nbody"


def test_template_tags_and_comments_leave_what_a_reader_sees() -> None:
    body = (
        'Ask in {% slack_channel "people-ops" %} or read [this]({% page "/leave/" %}).\n'
        '{% alert "New" %}\nIt changed.\n{% endalert %}\n'
        "<!-- hidden\nlines --> {% comment %}also hidden{% endcomment %}end {{ site.name }}"
    )
    assert text.tidy(body) == (
        "Ask in #people-ops or read [this](/leave/).\n**New**\n\nIt changed.\n\n\nend"
    )


def test_code_keeps_its_braces_and_comments() -> None:
    code = "```html\n<!-- kept --> {{ kept }} {% if x %}\n```\n"
    assert text.tidy(f"{code}<!-- gone -->\n") == f"{code}\n"
