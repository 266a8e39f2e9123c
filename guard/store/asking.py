"""How the asking for one account went for a while: polls, failures, and the longest time without an answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, func, select

from guard.model import Endpoint
from guard.store.tables import POLL


@dataclass(frozen=True, slots=True)
class Asking:
    """What became of the polls of /v1/usage."""

    polls: int = 0
    failed: int = 0
    first_at: datetime | None = None  # of the good answers
    last_at: datetime | None = None
    longest: timedelta = timedelta()  # between two good answers

    def gap(self, begin: datetime, end: datetime) -> timedelta:
        """The longest time without a good answer, from `begin` to `end`; all of it where there was none."""
        if self.first_at is None or self.last_at is None:
            return end - begin
        return max(self.longest, self.first_at - begin, end - self.last_at)


def _of_usage(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return query.where(
        POLL.c.account == bindparam("account"),
        POLL.c.endpoint == Endpoint.USAGE.value,
        POLL.c.at >= bindparam("begin"),
        POLL.c.at < bindparam("end"),
    )


_DAYS: Final = func.julianday(POLL.c.at)
_GOOD: Final = _of_usage(
    select(POLL.c.at, (_DAYS - func.lag(_DAYS).over(order_by=POLL.c.at)).label("gap")).where(
        POLL.c.answer_id.is_not(None)
    )
).subquery()
_COUNTED: Final = _of_usage(select(func.count(), func.count() - func.count(POLL.c.answer_id)))
_LONGEST: Final = select(func.min(_GOOD.c.at), func.max(_GOOD.c.at), func.max(_GOOD.c.gap))


def asking(connection: Connection, account: str, *, begin: datetime, end: datetime) -> Asking:
    """Reads it from `begin` (inclusive) to `end`."""
    named = {"account": account, "begin": begin, "end": end}
    polls, failed = connection.execute(_COUNTED, named).one()
    first_at, last_at, longest = connection.execute(_LONGEST, named).one()
    return Asking(polls, failed, first_at, last_at, timedelta(days=longest or 0))
