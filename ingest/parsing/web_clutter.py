"""What of a web page is no content: menus, headers and footers of the site, consent boxes, scripts.

Knows nothing about Markdown. When in doubt, something is content.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

LINKS_SHARE = 0.6  # of a menu's letters stand in links
MOST_CONSENT = 6_000  # letters: what has more is no box that asks for consent
CLIMB = 6  # elements from a button up to the box that it closes
ICON = 20  # letters at most of what is hidden from screen readers as an icon

NEVER = {
    "script", "style", "noscript", "template", "svg", "canvas", "head", "link", "meta", "base",
    "input", "select", "datalist", "textarea", "object", "embed", "iframe", "video", "audio",
    "map", "param", "col", "colgroup", "rp", "annotation", "annotation-xml", "progress", "meter",
    "dialog-backdrop", "frameset", "frame", "applet", "noframes",
}  # fmt: skip
_INNER = {"main", "article", "section", "td", "li", "blockquote"}  # a header here is a text's own

_VENDOR = re.compile(
    r"onetrust|cookiebot|usercentrics|didomi|truste|osano|qc-cmp|iubenda|klaro|cookielaw|cookieyes"
    r"|cky-|cmplz|borlabs|tarteaucitron|(?<![a-z])cmp-?(?:box|container)|cc-(?:window|banner)"
)
_ASKING = re.compile(
    r"(?:cookies?|consent|gdpr|ccpa|dsgvo|rgpd|privacy|eu)[-_]?[a-z]{0,12}[-_]?"
    r"(?:banner|bar|box|consent|notice|popup|modal|dialog|overlay|layer|wall|prompt|message|law"
    r"|manager|hinweis|bandeau|aviso)"
    r"|(?:banner|notice|popup|modal|dialog|overlay)[-_]?(?:cookies?|consent|gdpr)"
)
_CONSENT_TEXT = re.compile(
    r"cookie|consent|einwilligung|datenschutz|consentement|confidentialit|consentimiento|privacidad"
    r"|your privacy|trackers?\b"
)
_AGREE = re.compile(
    r"(?:i )?(?:accept|agree|allow|reject|decline|deny|got it|ok\b|okay|understood|manage choices"
    r"|(?:alle[sn]? )?(?:akzeptier|annehm|zustimm|ablehn|erlaub|verstanden|einverstanden)"
    r"|(?:tout )?(?:accepter|refuser|j'accepte)|(?:aceptar|rechazar|acepto)|(?:accett|rifiut)"
    r"|(?:accepteren|akkoord|weiger))"
)
_MENU = re.compile(
    r"(?:^|[\s_-])(?:nav(?:bar|igation)?|menu|sidebar|breadcrumbs?|toc|pagination|pager|share|sharing"
    r"|social|skip-?(?:link|to-content|nav)?|footer|site-?header|masthead|language-?(?:switcher|selector)"
    r"|toolbar|related|edit-?link|editsection|catlinks)(?:$|[\s_-])"
)
_ONLY_FOR_READERS = re.compile(
    r"(?:^|\s)(?:skip-link|skiplink|mw-editsection|mw-jump-link)(?:\s|$)"
)
_PERMALINK = re.compile(r"(?:^|\s)(?:headerlink|anchor|permalink|hash-link|heading-anchor)(?:\s|$)")
_LINE_NUMBERS = re.compile(
    r"(?:^|\s)(?:linenos?|line-?numbers?(?:-rows)?|lineno|ln|gutter|blob-num|hljs-ln-numbers"
    r"|react-code-line-number|rouge-gutter|highlight-gutter)(?:\s|$)"
)
_OPENERS = ("aria-controls", "aria-expanded", "data-toggle", "data-bs-toggle", "data-target")


class Clutter:
    """One page's elements that are passed over; `level` is how many kinds of them: none but what is
    never shown (0), consent boxes (1), menus, headers and footers as well (2)."""

    def __init__(self, root: Any) -> None:
        self.level = 2
        self._letters: dict[Any, int] = {}
        self._linked: dict[Any, int] = {}
        self._asks: set[Any] = set()
        self._holds: set[Any] = set()  # a page's main part or its main heading
        self._measure(root)
        self._consents = self._consent_boxes(root)

    def letters(self, element: Any) -> int:
        """Give how many letters and digits an element holds, scripts apart."""
        return self._letters.get(element, 0)

    def passes_over(self, element: Any) -> bool:
        """Tell whether an element, with all that is in it, is no content."""
        tag = element.tag
        if not isinstance(tag, str) or tag in NEVER:
            return True
        if _is_icon(element, self.letters(element)):
            return True
        if self.level and element in self._consents:
            return True
        if tag == "button" or element.get("role") == "button":
            return not _opens(element)
        return self.level > 1 and self._is_menu(element, tag)

    def _is_menu(self, element: Any, tag: str) -> bool:
        role = element.get("role", "")
        if tag == "nav" or role in ("navigation", "search", "menu", "menubar"):
            return True
        name = names_of(element)
        if _ONLY_FOR_READERS.search(name):
            return True
        is_frame = tag in ("header", "footer") or role in ("banner", "contentinfo")
        if is_frame and element not in self._holds:
            return not any(e.tag in _INNER for e in element.iterancestors())
        if not _MENU.search(name) or tag in ("body", "html", "main", "article", "code", "pre"):
            return False
        letters = self.letters(element)
        return letters == 0 or self._linked.get(element, 0) > LINKS_SHARE * letters

    def _measure(self, root: Any) -> None:
        """Count letters, and those in links, of every element in one walk from the leaves up."""
        from lxml import etree

        for _, element in etree.iterwalk(root, events=("end",)):
            if not isinstance(element.tag, str):
                continue
            own = 0 if element.tag in NEVER else _count(element.text)
            linked = 0
            for child in element:
                own += self._letters.get(child, 0) if isinstance(child.tag, str) else 0
                own += _count(child.tail)
                linked += self._linked.get(child, 0)
                if child in self._holds:
                    self._holds.add(element)
                if child in self._asks:
                    self._asks.add(element)
            if element.tag in NEVER:
                own = 0
            if element.tag in ("main", "article", "h1") or element.get("role") == "main":
                self._holds.add(element)
            if element.tag == "button" or element.get("type") in ("button", "submit", "checkbox"):
                self._asks.add(element)
            if element.tag == "a" and 0 < own < 40:
                label = "".join(element.itertext()).strip().lower()
                if "btn" in names_of(element) or _AGREE.match(label):
                    self._asks.add(element)
            self._letters[element] = own
            self._linked[element] = own if element.tag == "a" else linked

    def _consent_boxes(self, root: Any) -> set[Any]:
        found: set[Any] = set()
        for element in root.iter("div", "section", "aside", "dialog", "form", "footer", "p"):
            name = names_of(element)
            if element.getparent() in found:
                found.add(element)
            if not name or element in found or not self._may_be_consent(element):
                continue
            if _VENDOR.search(name) or (_ASKING.search(name) and self._says_so(element)):
                found.add(element)
        for button in root.iter("button", "a", "input"):
            label = "".join(button.itertext()) if self.letters(button) < 40 else ""
            label = label or str(button.get("value") or "")
            if _AGREE.match(label.strip().lower()):
                found.update(self._around(button))
        return found

    def _may_be_consent(self, element: Any) -> bool:
        is_small = self.letters(element) <= MOST_CONSENT
        return is_small and element in self._asks and element not in self._holds

    def _says_so(self, element: Any) -> bool:
        return _CONSENT_TEXT.search("".join(element.itertext()).lower()) is not None

    def _around(self, button: Any) -> Iterator[Any]:
        """Give the box that a button to agree stands in, if it speaks of consent and of little else."""
        box = None
        for element in islice(button.iterancestors(), CLIMB):
            if element.tag in ("body", "html") or not self._may_be_consent(element):
                break
            if element.tag in ("div", "section", "aside", "dialog", "form", "footer"):
                box = element
                if self.letters(element) >= 60 and self._says_so(element):
                    yield box
                    return


def names_of(element: Any) -> str:
    """Give an element's class, id and label in small letters."""
    found = (element.get("class"), element.get("id"), element.get("aria-label"))
    return " ".join(filter(None, found)).lower()[:500]


def is_line_number(element: Any) -> bool:
    """Tell whether an element of code holds nothing but the numbers of its lines."""
    return _LINE_NUMBERS.search(str(element.get("class") or "").lower()) is not None


def is_permalink(element: Any) -> bool:
    """Tell whether a link only serves to copy the address of the heading that it stands in."""
    return _PERMALINK.search(str(element.get("class") or "").lower()) is not None


def _opens(element: Any) -> bool:
    """Tell whether a button is the title of what it opens."""
    if any(element.get(name) is not None for name in _OPENERS):
        return True
    titled = ("h1", "h2", "h3", "h4", "h5", "h6", "summary", "dt")
    above = islice(element.iterancestors(), 3)
    return any(e.tag in titled or "accordion" in names_of(e) for e in above)


def _is_icon(element: Any, letters: int) -> bool:
    return element.get("aria-hidden") == "true" and letters <= ICON and not len(element)


def _count(text: str | None) -> int:
    return sum(map(str.isalnum, text)) if text else 0
