"""An alert's identity."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class AlertKey:
    """An alert's identity: account, rule and subject, and never threshold, text, level, channel or period."""

    account: str
    rule: str
    subject: str = ""

    def __str__(self) -> str:
        """`main/numbers-remaining`, with a third part where there is a subject."""
        return "/".join(part for part in (self.account, self.rule, self.subject) if part)
