"""Where each key and value of a TOML text stands, which the standard library does not say."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from guard.config.literal import offsets, plain
from guard.rules.complaint import Span

Path = tuple[str | int, ...]
"""How a value is reached: keys, and indices of arrays."""

MOST_LEVELS: Final = 16
"""Deeper nesting is not looked into; no rule file has it."""

_LANGUAGE: Final = Language(tree_sitter_toml.language())
_KEYS: Final = frozenset({"bare_key", "quoted_key", "dotted_key"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key stands, and its value; a table's header has no value."""

    key: Span
    value: Span | None = None


@dataclass(slots=True)
class Places:
    """All places of one text by path; a path that is written twice keeps its first place."""

    by_path: dict[Path, Place] = field(default_factory=dict)
    twice: list[tuple[Span, Span]] = field(default_factory=list)  # a key that came again, and where it was first
    too_deep: Span | None = None  # where the nesting first goes beyond MOST_LEVELS

    def of(self, path: Path) -> Place:
        """The place of a path, else of the nearest table around it, else the text's beginning."""
        while path and path not in self.by_path:
            path = path[:-1]
        return self.by_path.get(path, Place(Span(0, 0)))


def places(text: str) -> Places:
    """Finds all places of a text whose lines end in a line feed only; never raises, also for a text that is no TOML."""
    return _Walk(text).found


class _Walk:
    """One way through the tree, with a stack of its own: a text of brackets nests deeper than Python may recurse."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bytes = text.encode(errors="replace")
        self._ascii = len(self._bytes) == len(text)
        self._starts: list[tuple[int, int]] = [] if self._ascii else _line_starts(text)
        self.found = Places()
        self._arrays: dict[Path, int] = {}
        self._headers: dict[Path, Span] = {}
        self._stack: list[tuple[Node, Path]] = [(Parser(_LANGUAGE).parse(self._bytes).root_node, ())]
        while self._stack:
            self._visit(*self._stack.pop())

    def _visit(self, node: Node, base: Path) -> None:
        match node.type:
            case "table" | "table_array_element":
                base = self._header(node)
                self._push(node.children[1:], base)
            case "pair":
                self._pair(node, base)
            case "array":
                values = [child for child in node.named_children if child.type != "comment"]
                for index, child in enumerate(values):
                    self._value(child, (*base, index))
            case "document" | "inline_table" | "ERROR":
                self._push(node.children, base)
            case _:  # keys, values that hold no others, comments
                pass

    def _push(self, nodes: list[Node], base: Path) -> None:
        self._stack.extend((node, base) for node in reversed(nodes) if node.is_named)

    def _header(self, node: Node) -> Path:
        path: Path = ()
        key_span = self._span(node)
        names = [child for child in node.children if child.type in _KEYS]
        for key, key_span in self._parts(names[0]) if names else ():
            path = self._inner((*path, key))
            self._note(path, Place(key_span), again=False)
        if node.type == "table_array_element":
            self._arrays[path] = self._arrays.get(path, -1) + 1
            return (*path, self._arrays[path])
        if path in self._headers:
            self.found.twice.append((key_span, self._headers[path]))
        self._headers.setdefault(path, key_span)
        return path

    def _inner(self, path: Path) -> Path:
        """A header below an array of tables means its last element."""
        above = path[:-1]
        return (*above, self._arrays[above], path[-1]) if above in self._arrays else path

    def _pair(self, node: Node, base: Path) -> None:
        children = [child for child in node.named_children if child.type != "comment"]
        if len(children) > 1:  # the parser makes up what is missing, so this is for good measure
            *tables, (key, span) = self._parts(children[0])
            for table, table_span in tables:
                base = (*base, table)
                self._note(base, Place(table_span), again=False)
            self._value(children[-1], (*base, key), key=span)

    def _value(self, node: Node, path: Path, *, key: Span | None = None) -> None:
        """Notes a value; one in a list stands for its own key."""
        place = Place(key or self._span(node), self._span(node))
        if len(path) > MOST_LEVELS:
            self.found.too_deep = self.found.too_deep or place.key
            return
        self._note(path, place, again=True)
        if node.type in ("array", "inline_table"):
            self._stack.append((node, path))

    def _note(self, path: Path, place: Place, *, again: bool) -> None:
        first = self.found.by_path.setdefault(path, place)
        if again and first is not place:
            self.found.twice.append((place.key, first.key))

    def _parts(self, node: Node) -> list[tuple[str, Span]]:
        """The parts of a key from left to right; of a key far too long, the first ones."""
        leaves = list(_leaves(node))
        if len(leaves) > MOST_LEVELS:
            self.found.too_deep = self.found.too_deep or self._span(node)
        return [(self._key(leaf), self._span(leaf)) for leaf in leaves[:MOST_LEVELS]]

    def _key(self, node: Node) -> str:
        span = self._span(node)
        return plain(self._text[span.start : span.end])

    def _span(self, node: Node) -> Span:
        if self._ascii:  # and then a place in bytes is one in characters
            return Span(node.start_byte, node.end_byte)
        return Span(
            self._offset(node.start_byte, node.start_point.row), self._offset(node.end_byte, node.end_point.row)
        )

    def _offset(self, byte: int, row: int) -> int:
        """A place in characters, from one in bytes and the line it is on."""
        start_byte, start = self._starts[row]
        return start + len(self._bytes[start_byte:byte].decode(errors="replace"))


def _leaves(node: Node) -> Iterator[Node]:
    """The single keys of a dotted one, from left to right."""
    stack = [node]
    while stack:
        node = stack.pop()
        if node.type == "dotted_key":
            stack.extend(reversed([child for child in node.children if child.type in _KEYS]))
        else:
            yield node


def _line_starts(text: str) -> list[tuple[int, int]]:
    """Where each line begins, in bytes and in characters."""
    starts = [(0, 0)]
    for line in text.split("\n"):
        byte, char = starts[-1]
        starts.append((byte + len(line.encode(errors="replace")) + 1, char + len(line) + 1))
    return starts


def within(text: str, value: Span, part: Span, *, expected: str) -> Span:
    """Where a part of a string's value stands in the text, escapes and all; else the whole string."""
    found = offsets(text[value.start : value.end], expected=expected)
    if found is None:
        return value
    start = min(part.start, len(expected))
    end = min(max(part.end, start), len(expected))
    return Span(value.start + found[start], value.start + max(found[end], found[start] + 1))
