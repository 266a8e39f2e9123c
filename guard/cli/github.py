"""Problems as annotations: what GitHub shows beside the lines of a pull request."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from guard.config import Problem

# https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
_IN_TEXT: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY: Final = _IN_TEXT | {":": "%3A", ",": "%2C"}


def annotation(problem: "Problem") -> str:
    """One problem as a workflow command, on one line."""
    path = _escaped(problem.path, _IN_PROPERTY)
    place = f"file={path},line={problem.line},col={problem.column}"
    return f"::{problem.severity.value} {place}::{_escaped(problem.text, _IN_TEXT)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
