"""Recent answers: reads polls from the driver's own rows, and each of the equal answers among them only once."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from guard.model import Answer, Endpoint, Failure, FailureKind
from guard.store.poll import Poll
from guard.store.tables import MICROSECOND

_KEPT: Final = 64  # answers; of a thousand, all different, the processor's cache holds too few

_NO_AGE: Final = timedelta()

RECORDED: Final = (
    "at",
    "answer_id",
    "age",
    "server_at",
    "failure_kind",
    "failure_text",
    "failure_retry_after",
)
"""The columns of a poll that `RecentAnswers` takes, in this order."""


class RecentAnswers:
    """One endpoint's polls from the driver's own rows, with the newest answers kept, so that an equal one is read once.

    A year of polls is read by it, which SQLAlchemy's rows and types would make three times as long.
    """

    def __init__(self, account: str, endpoint: Endpoint) -> None:
        """Takes whose polls they are; has read none yet."""
        self._account, self._endpoint = account, endpoint
        self._answers: dict[int, Answer] = {}

    def poll_of(self, row: tuple[Any, ...]) -> Poll:
        """A poll, from RECORDED and a payload.

        By the server's clock an answer of /v1/usage that is kept came when its first poll did, since the poll has its
        age; a sibling's came with its own poll, for it is read by the day and the month that the server was in.
        """
        at, answer_id, age, server_at, kind, text, retry_after, payload = row
        outcome: Answer | Failure
        if answer_id is None:
            outcome = Failure(FailureKind(kind), text, None if retry_after is None else retry_after * MICROSECOND)
        elif answer_id in self._answers:
            outcome = self._answers[answer_id]
            if self._endpoint is not Endpoint.USAGE:
                outcome = replace(outcome, server_at=server_at and _instant_of(server_at))
        else:
            outcome = self._kept(answer_id, Answer(json.loads(payload), payload, server_at and _instant_of(server_at)))
        return Poll(self._account, _instant_of(at), outcome, self._endpoint, age * MICROSECOND if age else _NO_AGE)

    def _kept(self, answer_id: int, answer: Answer) -> Answer:
        if len(self._answers) >= _KEPT:
            self._answers.clear()
        self._answers[answer_id] = answer
        return answer


def _instant_of(text: str) -> datetime:
    """An instant as it lies in the file: UTC, and without saying so."""
    return datetime.fromisoformat(f"{text}+00:00")
