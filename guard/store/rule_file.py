"""One version of the rule file that took effect, as it is remembered."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule file's text from the moment when it took effect."""

    at: datetime
    digest: str  # of the text; the same for the same text
    text: str  # as it was read, without secrets, since none may stand in it
    changes: tuple[str, ...] = ()  # against the version before, one line each, for people
