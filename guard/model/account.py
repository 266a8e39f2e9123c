"""Accounts and their sub-accounts: their names, and how the asking goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from guard.model.answer import Failure


def sub_account_name(master: str, sub_id: str) -> str:
    """The name of a sub-account: `main:acme`."""
    return f"{master}:{sub_id}"


def master_name(account: str) -> str:
    """The name of an account's master account, which may be its own.

    >>> master_name("main:acme"), master_name("main")
    ('main', 'main')
    """
    return account.partition(":")[0]


def is_sub_account(account: str) -> bool:
    """Whether an account is another's sub-account, by its name."""
    return ":" in account


@dataclass(frozen=True, slots=True)
class Account:
    """How the asking goes for one account; what polling needs to remember from one cycle to the next."""

    name: str
    cycled_at: datetime | None = None  # the last cycle, asked or not
    good_at: datetime | None = None  # the last good answer
    outage: timedelta = timedelta()  # time without a good answer, counted as timers are
    lost: bool = False  # no good answer for too long, or the key was refused; until two good answers in a row
    good_streak: int = 0
    failures: int = 0  # failed polls in a row
    failure: Failure | None = None  # the last one, while `failures` > 0
    ask_at: datetime | None = None  # not to be asked before
    period_start_at: datetime | None = None  # of the reporting period in force
    period_lag: int = 0  # answers in a row that spoke of an earlier period
    listed_at: datetime | None = None  # of a master account: when its sub-accounts were last listed, or it was tried


@dataclass(frozen=True, slots=True)
class SubAccount:
    """A sub-account of a master account, as its listings know it."""

    master: str
    id: str  # what the API calls it
    absent: int = 0  # complete, good and not empty listings in a row without it
