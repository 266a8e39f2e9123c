"""What stands behind the question mark of a request: read, checked, and refused as the API does; pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

_WHOLE: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)


class BadQueryError(Exception):
    """A request that the API answers with 422; `detail` is the list that its body holds, with at least one entry."""

    def __init__(self, detail: list[dict[str, object]]) -> None:
        """Takes entries with the keys loc, msg and type."""
        super().__init__(str(detail))
        self.detail = detail


class Query:
    """The parameters of one request; of one that is given twice, the last counts, and unknown ones are left alone.

    Every reader gives a value that can be used, and notes what is wrong; `check` raises it all at once.
    """

    def __init__(self, given: Iterable[tuple[str, str]]) -> None:
        """Takes names and values in the order of the request."""
        self._given = dict(given)
        self._detail: list[dict[str, object]] = []

    def number(self, name: str, *, least: int, most: int, usual: int) -> int:
        """A whole number within bounds, `usual` if it is left out."""
        text = self._given.get(name)
        if text is None:
            return usual
        if not _WHOLE.fullmatch(text.strip()):
            msg = "Input should be a valid integer, unable to parse string as an integer"
            self._note(name, msg, kind="int_parsing")
            return usual
        number = int(text)
        if number < least:
            self._note(name, f"Input should be greater than or equal to {least}", kind="greater_than_equal")
        elif number > most:
            self._note(name, f"Input should be less than or equal to {most}", kind="less_than_equal")
        return min(max(number, least), most)

    def choice(self, name: str, known: Sequence[str]) -> str:
        """One of the known words; it must be given."""
        text = self._given.get(name)
        if text is not None and text in known:
            return text
        *first, last = map(repr, known)
        if text is None:
            self._note(name, "Field required", kind="missing")
        else:
            self._note(name, f"Input should be {', '.join(first)} or {last}", kind="literal_error")
        return known[0]

    def zone(self, name: str) -> tzinfo:
        """An IANA time zone, UTC if it is left out."""
        text = self._given.get(name)
        if text is None:
            return UTC
        try:
            return ZoneInfo(text)
        except (OSError, ValueError, LookupError):  # a folder of zones, a path, a name that nobody knows
            self._note(name, "Input should be an IANA time zone", kind="value_error")
            return UTC

    def check(self) -> None:
        """Raises BadQueryError if a reader found anything wrong."""
        if self._detail:
            raise BadQueryError(self._detail)

    def _note(self, name: str, msg: str, *, kind: str) -> None:
        self._detail.append({"loc": ["query", name], "msg": msg, "type": kind})
