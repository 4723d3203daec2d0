"""The learning curve is a picture that a browser can show and a screen reader can read."""

from datetime import date, timedelta
from xml.etree import ElementTree

from bot.learning import curve
from bot.learning.curve import Point

SVG = "{http://www.w3.org/2000/svg}"
DAY = date(2026, 3, 4)


def drawn(*points: Point) -> ElementTree.Element:
    return ElementTree.fromstring(curve.draw(points))


def texts(picture: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def test_every_judged_night_is_a_dot_that_says_what_it_is() -> None:
    picture = drawn(
        Point(DAY, 40, 0.5, 0.35, 0.65),
        Point(DAY + timedelta(days=1), 0),
        Point(DAY + timedelta(days=2), 80, 0.75, 0.64, 0.83, ("title", "memory")),
    )
    dots = picture.findall(f"{SVG}circle")
    assert [dot.findtext(f"{SVG}title") for dot in dots] == [
        "2026-03-04: 50% of 40 liked (35% to 65%)",
        "2026-03-06: 75% of 80 liked (64% to 83%); promoted: title, memory",
    ]
    (first, last) = ((float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in dots)
    assert first == (curve.MARGIN, curve.HEIGHT / 2)
    assert last[0] == curve.WIDTH - curve.MARGIN and last[1] < first[1]


def test_a_screen_reader_hears_a_title_and_what_the_curve_shows() -> None:
    picture = drawn(Point(DAY, 40, 0.5, 0.35, 0.65), Point(DAY + timedelta(days=9), 8, 0.75))
    assert picture.get("role") == "img"
    title, words = picture.findtext(f"{SVG}title"), picture.findtext(f"{SVG}desc")
    assert title == curve.TITLE and words
    assert "2 nights" in words and "50% of 40" in words and "75% of 8" in words
    assert "0 of the nights promoted" in words


def test_a_promotion_is_marked_even_where_nothing_was_judged() -> None:
    picture = drawn(Point(DAY, 0, promoted=("fusion",)), Point(DAY + timedelta(days=1), 0))
    (mark,) = picture.findall(f"{SVG}polygon")
    assert "fusion" in (mark.findtext(f"{SVG}title") or "")


def test_no_night_and_one_night_are_pictures_too() -> None:
    assert drawn().findall(f"{SVG}circle") == []
    picture = drawn(Point(DAY, 1, 1.0, 0.2, 1.0))
    assert len(picture.findall(f"{SVG}circle")) == 1
    assert texts(picture).count("2026-03-04") == 1


def test_words_with_markup_stay_words() -> None:
    picture = drawn(Point(DAY, 1, 1.0, promoted=("<script>&",)))
    said = [title.text or "" for title in picture.iter(f"{SVG}title")]
    assert any("<script>&" in words for words in said)
    assert not list(picture.iter(f"{SVG}script"))
