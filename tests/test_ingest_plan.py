"""Planning: what is new, changed or gone, and what must not be removed by mistake."""

import pytest

from ingest.entries import Entry, SourceConfig
from ingest.plan import Plan, TooManyRemovals, check_removals, plan, told_apart
from store.records import EVERYONE, Stored


def entry(path: str, version: str | None = "1", url: str | None = None) -> Entry:
    return Entry(path, version, path, url)


def stored(path: str, version: str = "1", audience: tuple[str, ...] = (EVERYONE,)) -> Stored:
    return Stored(1, path, version, b"", audience)


def make(entries: list[Entry], *known: Stored, failed: dict[str, str] | None = None) -> Plan:
    return plan(entries, {k.path: k for k in known}, failed or {}, lambda _: (EVERYONE,))


def paths(made: Plan) -> list[str]:
    return [item.path for item in made.read]


def test_new_and_changed_are_read_the_same_is_not_and_the_gone_goes() -> None:
    made = make([entry("new"), entry("changed", "2"), entry("same")], stored("changed"),
                stored("same"), stored("gone"))  # fmt: skip
    assert (paths(made), made.unchanged, made.remove) == (["new", "changed"], 1, ("gone",))


def test_an_unknown_version_must_be_read() -> None:
    assert paths(make([entry("page", None)], stored("page"))) == ["page"]


def test_another_link_or_audience_is_a_change() -> None:
    assert paths(make([entry("a", url="https://x")], stored("a"))) == ["a"]
    assert paths(make([entry("a")], stored("a", audience=("C1",)))) == ["a"]


def test_a_failure_is_tried_again_only_when_it_changed() -> None:
    made = make([entry("a"), entry("b", "2"), entry("c")], failed={"a": "1", "b": "1", "c": ""})
    assert (made.failing, paths(made)) == (("a",), ["b", "c"])


def test_failures_of_gone_documents_are_forgotten() -> None:
    assert make([entry("a")], failed={"b": "1"}).forget == ("b",)


def test_a_path_that_is_listed_twice_is_read_once() -> None:
    assert paths(make([entry("a"), entry("a", "2")])) == ["a"]


@pytest.mark.parametrize(("gone", "before", "refused"), [
    (5, 5, False), (6, 6, True), (6, 20, False), (7, 20, True), (30, 100, False), (31, 100, True),
])  # fmt: skip
def test_removals_are_refused_past_both_limits(gone: int, before: int, refused: bool) -> None:
    names = [str(number) for number in range(gone)]
    if refused:
        with pytest.raises(TooManyRemovals, match=f"{gone} of {before}.*--allow-removal"):
            check_removals(names, before, share=0.3, count=5, source="wiki")
    else:
        check_removals(names, before, share=0.3, count=5, source="wiki")


def test_documents_of_one_name_are_told_apart_and_seen_by_the_same_people() -> None:
    listed = [Entry(path, "1", ref) for path, ref in (
        ("hr/Pay.md", "1"), ("hr/Pay.md", "2"), ("hr/Pay.md", "2/"), ("hr/Pay.md", "3"),
        ("LICENSE", "4"), ("LICENSE", "5"), (".env", "6"), (".env", "7"), ("a\ud800", "8"), ("a\\ud800", "9"),
    )]  # fmt: skip
    found = [item.path for item in told_apart(listed)]
    assert len(found) == len(set(found)) == 9 and found[0] == "hr/Pay.md"
    assert found == [item.path for item in told_apart(listed)]
    assert "\ud800" not in "".join(found)
    rules = (("hr/Pay.md", ("C1",)), ("LICENSE", ("C2",)), (".env", ("C3",)))
    config = SourceConfig("wiki", "folder", "/", rules=rules)
    seen = [config.audience_of(path) for path in found]
    assert seen == [("C1",)] * 3 + [("C2",)] * 2 + [("C3",)] * 2 + [(EVERYONE,)] * 2
