"""Which accounts a rule is laid over: the globs of its `accounts`, and what they reach."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase, translate
from typing import Final

from guard.config.accounts import AccountDraft
from guard.config.table import Table, kind
from guard.model import is_sub_account, sub_account_name
from guard.rules.complaint import Severity, hint
from guard.rules.rule import Rule

_MOST: Final = 50
_MOST_COMPARED: Final = 200  # more would take long, and a file may have many mistakes
_GLOB: Final = re.compile(r"[A-Za-z0-9._:*?-]{1,129}")
_SUCH_AS: Final = '["main", "main:*"]'


def read_accounts(table: Table) -> tuple[str, ...]:
    """The globs of a rule's `accounts`, each once; empty where it is absent, which means all accounts."""
    if "accounts" not in table:
        return ()
    values = table.values["accounts"]
    if not isinstance(values, list):
        table.wrong("accounts", f"accounts is a list of names, such as {_SUCH_AS}, and this is {kind(values)}")
        return ()
    if not values:
        table.wrong("accounts", "accounts names none; leave the key out for all, or write enabled = false")
    if len(values) > _MOST:
        table.wrong(
            "accounts", f"{len(values):,} accounts are too many; there may be {_MOST}, and * and ? stand for more"
        )
        return ()
    for index, value in enumerate(values):
        if fault := _fault(value):
            table.document.complain((*table.path, "accounts", index), fault)
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str)))


def _fault(value: object) -> str | None:
    if not isinstance(value, str):
        return f"an account's name is a text in quotes, and this is {kind(value)}"
    if not _GLOB.fullmatch(value):
        what = "letters, digits, '-' and '_', a colon and the id of a sub-account, and * and ? as wildcards"
        return f"an account's name is {what}, not {value!r}"
    return None


def reaches(rule: Rule, account: AccountDraft) -> bool:
    """Whether a rule is laid over the account, or may be over a sub-account of it that has no table of its own."""
    if rule.covers(account.name) or account.subs is None:
        return rule.covers(account.name)
    own = {sub_account_name(account.name, sub.sub_id) for sub in account.subs.own}
    return any(_fits(glob, account.name) for glob in rule.accounts if glob not in own)


def _fits(glob: str, master: str) -> bool:
    """Whether any id makes the name of a sub-account of this account that the glob matches."""
    prefix = sub_account_name(master, "")
    heads = (end for end in range(1, len(glob) + 1) if fnmatchcase(prefix, glob[:end]))
    return any(":" not in glob[end:] and (glob[end:] or glob[end - 1] == "*") for end in heads)


def check_accounts(tables: Iterable[Table], accounts: Sequence[AccountDraft]) -> None:
    """Notes every glob of a rule that matches no account; which accounts there are is known only without errors."""
    names = dict.fromkeys(name for account in accounts for name in _named(account))
    open_ended = [each.name for each in accounts if each.subs and each.subs.ids is None]
    for table in tables:
        if "accounts" not in table or table.document.has_errors:
            continue
        for index, glob in enumerate(table.values["accounts"]):
            if _matches(glob, names) or any(_fits(glob, master) for master in open_ended):
                continue
            path = (*table.path, "accounts", index)
            table.document.complain(path, _unknown(glob, names), severity=Severity.WARNING)


def _unknown(glob: str, names: Collection[str]) -> str:
    is_sub = is_sub_account(glob)
    alike = [name for name in names if is_sub_account(name) is is_sub]
    near = hint(glob, alike) if len(alike) <= _MOST_COMPARED else ""
    if is_sub:
        return f"no sub-account is called {glob!r}{near or '; sub_accounts says which are watched'}"
    return f"no account is called {glob!r}{near}"


def _named(account: AccountDraft) -> Iterator[str]:
    """The account and the sub-accounts that the file lists."""
    yield account.name
    for sub_id in account.subs.ids or () if account.subs else ():
        yield sub_account_name(account.name, sub_id)


def _matches(glob: str, names: Collection[str]) -> bool:
    return glob in names or any(map(re.compile(translate(glob)).match, names))
