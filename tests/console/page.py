"""A page as a browser reads it: its text, its elements, where its links lead."""

from html.parser import HTMLParser
from typing import Final

from tests.console.listening import Answer

_VOID: Final = {"meta", "link"}
_UNSEEN: Final = {"title"}


class Page(HTMLParser):
    """Reads an answer; fails where elements are not nested as they should be."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(convert_charrefs=True)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.links: dict[str, str] = {}  # by their text
        self.title = ""
        self._open: list[str] = []
        self._href = ""
        self._said: list[str] = []
        self.feed(answer.body)
        self.close()
        assert not self._open
        self.text = " ".join(" ".join(self._said).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._href = next((value or "" for name, value in attrs if name == "href"), "")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        inner = self._open[-1] if self._open else ""
        if inner == "title":
            self.title += data
        elif inner == "a":
            self.links[data] = self._href
        if inner not in _UNSEEN:
            self._said.append(data)
