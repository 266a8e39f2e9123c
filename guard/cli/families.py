"""Accounts with their sub-accounts as `guard status` shows them: each one of a few, and of many what needs a look."""

import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from guard.cli.output import ago
from guard.fields import FIELDS
from guard.lifecycle.asking import is_of_the_key, may_ask
from guard.model import Account, Snapshot, is_sub_account, master_name, sub_account_name
from guard.units import counted, duration_text, iso, value_text

if TYPE_CHECKING:
    from guard.config import AccountConfig, Config
    from guard.store import Reader

FEW: Final = 5
"""So many sub-accounts are shown one by one, and so many of more are named where they need a look."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account of a family as it is stored."""

    account: Account
    absent: int = 0  # listings in a row that did not show it

    @property
    def is_failing(self) -> bool:
        """Whether the last answer was none, or there was none for too long."""
        return self.account.failure is not None or self.account.lost


@dataclass(frozen=True, slots=True)
class FamilyStatus:
    """A master account with its sub-accounts, in order of name or of the rule file."""

    master: Account
    subs: tuple[Member, ...] = ()
    config: "AccountConfig | None" = None  # the master's; None without a rule file

    @property
    def names(self) -> list[str]:
        """All of them, the master first."""
        return [self.master.name, *(each.account.name for each in self.subs)]

    @property
    def has_subs(self) -> bool:
        """Whether sub-accounts are watched, even if none is known yet."""
        return bool(self.subs) or (self.config is not None and self.config.subs is not None)

    @property
    def fresh(self) -> timedelta | None:
        """The age up to which a last answer is none of the past; None where the rule file does not say."""
        return 3 * self.config.every if self.config else None

    def answered(self, now: datetime) -> int | None:
        """How many sub-accounts answered lately; None where the rule file does not say what that is."""
        fresh = self.fresh
        if fresh is None:
            return None
        return sum(each.account.good_at is not None and now - each.account.good_at <= fresh for each in self.subs)

    def shown(self, chosen: Collection[str], *, by_name: bool) -> list[Member]:
        """Those that are shown one by one: of many sub-accounts only those that were asked for by name."""
        subs = self.subs if by_name or len(self.subs) <= FEW else ()
        return [each for each in (Member(self.master), *subs) if each.account.name in chosen]


def read_families(reader: "Reader", config: "Config | None") -> list[FamilyStatus]:
    """The accounts of the rule file in its order; all that are stored without one."""
    stored = reader.accounts()
    configs = {each.name: each for each in config.accounts} if config else {}

    def family(name: str) -> FamilyStatus:
        subs = tuple(_subs(reader, name, configs.get(name), stored))
        return FamilyStatus(stored.get(name) or Account(name), subs, configs.get(name))

    return [family(each) for each in (configs or sorted({master_name(each) for each in stored}))]


def _subs(
    reader: "Reader", master: str, config: "AccountConfig | None", stored: Mapping[str, Account]
) -> Iterator[Member]:
    if config is not None and config.subs is None:
        return
    absent = {sub_account_name(master, each.id): each.absent for each in reader.sub_accounts(master)}
    names = list(absent)
    if config is None:
        names = sorted({*absent, *(each for each in stored if is_sub_account(each) and master_name(each) == master)})
    elif config.subs and config.subs.ids is not None:
        names = [sub_account_name(master, each) for each in config.subs.ids]
    for name in names:
        yield Member(stored.get(name) or Account(name), absent.get(name, 0))


# --- for people ----------------------------------------------------------------------------------------------------


def member_lines(family: FamilyStatus, member: Member, snapshot: Snapshot | None, *, now: datetime) -> Iterator[str]:
    """One account: how the asking goes, its sub-accounts together, and the numbers that its rules read."""
    account = member.account
    yield account.name
    yield f"  {_asked(account, now=now)}"
    if family.fresh and account.cycled_at and now - account.cycled_at > family.fresh:
        yield f"  last asked {ago(account.cycled_at, now=now)}{_why_not_asked(family, account)}"
    if account.lost:
        yield "  DATA IS LOST: nothing is watched until it answers again"
    if member.absent:
        yield f"  {_absent(member.absent)}"
    if account is family.master and family.has_subs:
        yield from _subs_lines(family, now=now)
    if snapshot is not None:
        rules = family.config.rules if family.config else ()
        reads = {name for rule in rules for name in rule.reads} if family.config else set(snapshot.values)
        for name in sorted(reads & snapshot.values.keys()):
            yield f"  {name} {_value_text(name, snapshot.values[name])}"


def _asked(account: Account, *, now: datetime) -> str:
    if account.cycled_at is None:
        return "was never asked; `guard run` does"
    if account.failure is None:
        return f"answered {ago(account.good_at, now=now)}"
    since = f"last good answer {ago(account.good_at, now=now)}"
    text = f"failed {counted(account.failures, 'time')}: {account.failure.text}; {since}"
    if account.ask_at is None or may_ask(account, now=now):
        return text
    return f"{text}; asked again in {duration_text(account.ask_at - now)}"


def _why_not_asked(family: FamilyStatus, account: Account) -> str:
    failure = family.master.failure
    if account is not family.master and failure is not None and is_of_the_key(failure):
        return f"; left alone while {family.master.name} fails"
    return ": is the service running?"


def _absent(listings: int) -> str:
    return "absent from the last " + ("listing" if listings == 1 else f"{listings} listings")


def _subs_lines(family: FamilyStatus, *, now: datetime) -> Iterator[str]:
    """What there is to say of all sub-accounts together; names, if they are too many to be shown one by one."""
    yield f"  {_subs_text(family, now=now)}"
    if len(family.subs) <= FEW:
        return
    found = sorted((each for each in family.subs if each.is_failing or each.absent), key=_urgency)
    for each in found[:FEW]:
        yield f"    {each.account.name}: {_trouble(each, now=now)}"
    if len(found) > FEW:
        every = shlex.quote(f"{family.master.name}:*")
        yield f"    and {len(found) - FEW:,} more; `guard status --account {every}` shows all"


def _subs_text(family: FamilyStatus, *, now: datetime) -> str:
    parts = [counted(len(family.subs), "sub-account") if family.subs else "no sub-account"]
    answered = family.answered(now)
    if answered is not None and family.fresh and family.subs:
        parts.append(f"{answered:,} answered within {duration_text(family.fresh)}")
    if family.master.listed_at:
        parts.append(f"listed {ago(family.master.listed_at, now=now)}")
    elif family.config and family.config.subs and family.config.subs.ids is None:
        parts.append("never listed yet")
    return ", ".join(parts)


def _urgency(sub: Member) -> tuple[bool, bool, str]:
    return not sub.account.lost, not sub.is_failing, sub.account.name


def _trouble(sub: Member, *, now: datetime) -> str:
    account = sub.account
    lost = "DATA IS LOST, " if account.lost else ""
    asked = [lost + _asked(account, now=now)] if sub.is_failing else []
    return "; ".join([*asked, *([_absent(sub.absent)] if sub.absent else [])])


def _value_text(name: str, value: float | str) -> str:
    return value if isinstance(value, str) else value_text(value, FIELDS[name].unit if name in FIELDS else "")


# --- for machines --------------------------------------------------------------------------------------------------


def member_document(
    family: FamilyStatus, member: Member, snapshot: Snapshot | None, *, now: datetime
) -> dict[str, Any]:
    """An account as JSON has it."""
    account = member.account
    failure = account.failure
    return {
        "account": account.name,
        "cycled_at": iso(account.cycled_at),
        "good_at": iso(account.good_at),
        "data_lost": account.lost,
        "failures": account.failures,
        "failure": {"kind": failure.kind.value, "text": failure.text} if failure else None,
        "not_asked_before": iso(account.ask_at),
        "values": dict(snapshot.values) if snapshot else {},
        "sub_accounts": _subs_document(family, now=now) if account is family.master and family.has_subs else None,
    }


def _subs_document(family: FamilyStatus, *, now: datetime) -> dict[str, Any]:
    return {
        "count": len(family.subs),
        "answered": family.answered(now),
        "listed_at": iso(family.master.listed_at),
        "failing": [each.account.name for each in family.subs if each.is_failing],
        "absent": [each.account.name for each in family.subs if each.absent],
    }
