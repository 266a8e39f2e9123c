"""`[accounts.*]`: what is asked, how often, and the account's own routes and budgets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from guard.config.address import read_base_url
from guard.config.budgets import read_budgets
from guard.config.keys import ACCOUNT
from guard.config.routes import Routes, read_notify
from guard.config.subs import SubDraft, SubsDraft, read_subs
from guard.config.table import Table
from guard.config.things import Secret
from guard.rules.complaint import hint

_BASE_URL: Final = "https://api.agentphone.ai"
_EVERY: Final = timedelta(minutes=1)
_STALE: Final = timedelta(minutes=15)
_OUTAGE: Final = timedelta(minutes=3)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class AccountDraft:
    """An account as the file says it, before rules are laid over it."""

    name: str
    api_key: Secret
    base_url: str
    every: timedelta
    stale_after: timedelta
    no_data_after: timedelta
    tz: tzinfo
    notify: Routes | None
    budgets: Mapping[str, float]
    sub_id: str = ""
    subs: SubsDraft | None = None

    def of(self, sub: SubDraft) -> "AccountDraft":
        """The same for one of its sub-accounts."""
        return replace(
            self,
            name=f"{self.name}:{sub.sub_id}",
            notify=self.notify if sub.notify is None else sub.notify,
            budgets={**self.budgets, **sub.budgets},
            sub_id=sub.sub_id,
            subs=None,
        )


def read_account(table: Table, *, channels: Collection[str], budgets: Mapping[str, float]) -> AccountDraft | None:
    """Reads one account; `budgets` are the file's. None when it could not be asked."""
    table.check_keys(ACCOUNT, where=" for an account")
    api_key = table.secret("api_key", example="AGENTPHONE_API_KEY")
    every = table.duration("every", least=_SECOND) or _EVERY
    stale_after = table.duration("stale_after", least=_SECOND) or max(_STALE, 3 * every)
    no_data_after = table.duration("no_data_after", least=_SECOND) or max(_OUTAGE, 3 * every)
    if no_data_after < every:
        table.wrong("no_data_after", "no_data_after is shorter than every, so each pause would count as no data")
    own = table.table("budgets", such_as="{ messages_per_day = 1_200 }")
    draft = AccountDraft(
        name=table.name,
        api_key=api_key or Secret("", ""),
        base_url=read_base_url(table, default=_BASE_URL),
        every=every,
        stale_after=stale_after,
        no_data_after=no_data_after,
        tz=read_zone(table) or UTC,
        notify=read_notify(table, channels),
        budgets={**budgets, **(read_budgets(own) if own else {})},
        subs=read_subs(table, channels=channels),
    )
    return draft if api_key else None


def read_zone(table: Table) -> tzinfo | None:
    """The zone that `tz` names; None where it is absent or wrong."""
    name = table.string("tz", such_as='"America/New_York"')
    if name is None:
        return None
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # an odd name, a directory's name, no such zone
        near = "" if table.variable("tz") else hint(name, available_timezones())
        table.wrong("tz", f"tz: {table.shown('tz')} is no time zone{near or '; write one such as America/New_York'}")
        return None
