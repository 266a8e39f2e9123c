"""What is legal and unwise: rules that flap, cry over one failure, or hide an outage; and channels without a rule."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from guard.config.accounts import AccountDraft
from guard.config.percent import percent_slips
from guard.config.reach import reaches
from guard.config.rules import Draft
from guard.config.table import Table
from guard.config.things import Config
from guard.fields import Kind, field_named
from guard.model import Level
from guard.rules.complaint import Severity, Span
from guard.rules.durations import written
from guard.rules.expression import Condition
from guard.rules.names import BUDGETS
from guard.rules.tree import Binary, Call, Name, Number, Tree, Unary, names, parts, printed

_EASED: Final = {">": ("<", 0.9), ">=": ("<", 0.9), "<": (">", 1.1), "<=": (">", 1.1)}
"""How a clear looks that leaves room, for each operator of a level."""

_COUNTED: Final = (Kind.ROLLING, Kind.LIFETIME, Kind.DAY, Kind.MONTH)
_TWO_BRACES: Final = re.compile(r"\{\{ *(?P<name>[\w.]+) *\}\}")


class _Advice(NamedTuple):
    key: str
    text: str
    part: Span | None = None  # of the key's value; None: all of it


def advise_on_rules(drafts: Sequence[Draft], *, accounts: Sequence[AccountDraft], hold: timedelta) -> None:
    """Notes what is unwise in a rule whatever account it is laid over; `hold` is the file's own `for`.

    A rule with an error is mended first.
    """
    for draft in drafts:
        if draft.table.path in draft.table.document.faulty:
            continue
        held = hold if draft.hold is None else draft.hold
        advice = (*_alike(draft), *_ratios(draft), *_flapping(draft, held), *_short(draft, accounts))
        advice += (*_quieted(draft), *_doubled(draft))
        for key, text, part in advice:
            path = (*draft.table.path, key)
            draft.table.document.complain(path, text, severity=Severity.WARNING, part=part)


def advise_on_channels(top: Table) -> None:
    """Notes each channel without errors that is named nowhere, while others are.

    Without any `notify` the rules say it themselves. While an unknown channel is named, one that is there is probably
    meant.
    """
    channels = top.values.get("channels")
    named = frozenset(_named(top.values))
    if not isinstance(channels, dict) or not named or named - channels.keys() or top.document.lost:
        return
    for name in channels:
        if name in named or ("channels", name) in top.document.faulty:
            continue
        text = f"nothing is told to {name}: name it in notify, of a rule or under [defaults], or leave it out"
        top.document.complain(("channels", name), text, severity=Severity.WARNING, on_key=True)


def advise_on_fallback(top: Table, config: Config) -> None:
    """Notes each fallback that every rule tells of everything anyway, so that it is no other way."""
    rules = [rule.policy for each in config.patterns for rule in each.rules]
    if not rules or top.document.has_errors:
        return
    for number, name in enumerate(config.fallback):
        if all(name in policy.routes.get(level, ()) for policy in rules for level in policy.levels):
            text = f"{name} is told of everything already, so it is no fallback; name a channel that is not in notify"
            top.document.complain(("defaults", "fallback", number), text, severity=Severity.WARNING)


def advise_on_windows(top: Table) -> None:
    """Notes each quiet window without errors that no rule names.

    While an unknown window is named, or `quiet` is no list, one that is there is probably meant.
    """
    windows, rules = top.values.get("quiet"), top.values.get("rules")
    is_unsure = top.document.lost or ("quiet",) in top.document.faulty
    if not isinstance(windows, dict) or not isinstance(rules, dict) or is_unsure:
        return
    lists = [rule["quiet"] for rule in rules.values() if isinstance(rule, dict) and "quiet" in rule]
    named = [name for names in lists for name in (names if isinstance(names, list) else [names])]
    all_known = all(isinstance(name, str) and name in windows for name in named)
    for name in [name for name in windows if name not in named] if all_known else ():
        if isinstance(windows[name], dict) and ("quiet", name) not in top.document.faulty:
            text = f'no rule is quiet then; write quiet = ["{name}"] under a rule, or leave the window out'
            top.document.complain(("quiet", name), text, severity=Severity.WARNING, on_key=True)


def _named(value: object, *, is_route: bool = False) -> Iterator[str]:
    """Every text below a key `notify`, right or wrong."""
    match value:
        case dict():
            for key, each in value.items():
                yield from _named(each, is_route=is_route or key in ("notify", "fallback"))
        case list():
            for each in value:
                yield from _named(each, is_route=is_route)
        case str() if is_route:
            yield value
        case _:
            pass


# --- subjects -------------------------------------------------------------------------------------------------------


def _alike(draft: Draft) -> Iterator[_Advice]:
    """One alert for each subject, of which none differs from the others."""
    each = draft.rule.each
    if each is not None and not any(name.startswith(f"{each.value}.") for name in draft.rule.reads):
        why = (
            f"no value, level or condition reads {each.value}.*, so the alerts of all {each.value}s come and go as one"
        )
        yield _Advice("each", f"{why}; read one of them, or leave each out")


# --- ratios ---------------------------------------------------------------------------------------------------------


def _ratios(draft: Draft) -> Iterator[_Advice]:
    """A quotient that hides a fresh outage, or one that a single failure can fill; the first of them."""
    quotients = (each for each in parts(draft.rule.value.tree) if isinstance(each, Binary) and each.operator == "/")
    for quotient in quotients:
        old = next((name for name in _bare(quotient.right) if _is(name, Kind.LIFETIME)), None)
        if old is not None:
            hides = f"{old.name} counts over the account's whole life, in which a fresh outage drowns"
            yield _Advice("value", f"{hides}; write {printed(_windowed(quotient))}", quotient.span)
            return
        if draft.rule.when is None and any(_is_volume(name) for name in names(quotient.right)):
            volume = printed(quotient.right)
            yield _Advice("value", f'when little happens, one case is a large share; add when = "{volume} >= 20"')
            return


def _windowed(tree: Tree) -> Tree:
    """The same with the growth of the last hour in place of each lifetime counter."""
    match tree:
        case Name() if _is(tree, Kind.LIFETIME):
            return Call("increase", (tree, Number("1", "h")))
        case Binary():
            return Binary(tree.operator, _windowed(tree.left), _windowed(tree.right))
        case Unary():
            return Unary(tree.operator, _windowed(tree.operand))
        case _:
            return tree


def _bare(tree: Tree) -> Iterator[Name]:
    """The names that are read as they are now, outside of functions."""
    match tree:
        case Name():
            yield tree
        case Binary():
            yield from _bare(tree.left)
            yield from _bare(tree.right)
        case Unary():
            yield from _bare(tree.operand)
        case _:
            pass


def _is(name: Name, kind: Kind) -> bool:
    field = field_named(name.name)
    return field is not None and field.kind is kind


def _is_volume(name: Name) -> bool:
    """Whether this counts what happened, so that it may be as little as nothing."""
    field = field_named(name.name)
    return field is not None and field.kind in _COUNTED and field.unit != "share"


# --- flapping -------------------------------------------------------------------------------------------------------


def _flapping(draft: Draft, held: timedelta) -> Iterator[_Advice]:
    """A rolling counter on which nothing keeps a level from ending as soon as it began."""
    rule = draft.rule
    rolling = next((name for name in _bare(rule.value.tree) if _is(name, Kind.ROLLING)), None)
    if rolling is None or rule.clear is not None or held or rule.policy.keep_firing_for:
        return
    if any(percent_slips(rule)):  # the level is something else when that is mended, and so is what clears it
        return
    lowest = min(rule.conditions)
    clear = _eased(rule.conditions[lowest])
    how = f'clear = "{clear}", or for = "10m"' if clear else 'for = "10m"'
    text = f"{rolling.name} also falls by itself, so this may begin and end again and again; add {how}"
    yield _Advice(lowest.word, text)


def _eased(condition: Condition) -> str:
    """A clear with some room between itself and the level; empty where that is not as simple."""
    operator, factor = _EASED.get(condition.operator, ("", 1.0))
    bound = condition.bound.tree
    match bound:
        case Number(unit="" | "%") if bound.value:
            eased = _scaled(bound, factor)
        case Binary(operator="*", left=Number(unit="" | "%") as left):
            eased = printed(Binary("*", Number(_scaled(left, factor)), bound.right))
        case Name():
            eased = f"{factor * 100:g}% * {bound.name}"
        case _:
            return ""
    return f"{operator} {eased}" if operator else ""


def _scaled(number: Number, factor: float) -> str:
    return f"{float(number.digits) * factor:.10g}{number.unit}"


# --- pauses ---------------------------------------------------------------------------------------------------------


def _short(draft: Draft, accounts: Sequence[AccountDraft]) -> Iterator[_Advice]:
    """A `for` that is over before an account is asked again."""
    if not draft.hold:
        return
    slower = (each for each in accounts if draft.hold < each.every and reaches(draft.rule, each))
    slowest = max(slower, key=lambda account: account.every, default=None)
    if slowest is None:
        return
    every = written(slowest.every)
    why = f"{slowest.name} is asked every {every}, so a shorter for is as long as that"
    yield _Advice("for", f'{why}; write for = "{every}", or leave it out to be told at once')


def _quieted(draft: Draft) -> Iterator[_Advice]:
    """A quiet window that holds nothing back."""
    if draft.quiet and draft.rule.conditions.keys() == {Level.CRITICAL}:
        yield _Advice("quiet", "quiet does nothing here: critical is told all the same, and there is no other level")


# --- texts ----------------------------------------------------------------------------------------------------------


def _doubled(draft: Draft) -> Iterator[_Advice]:
    """A hole with two braces on each side, as other tools have it: it is no hole."""
    for key in ("summary", "description"):
        for found in _TWO_BRACES.finditer(str(draft.table.values.get(key, ""))):
            name = found["name"]
            shown, write = f"{{{name}}}", "one on each side for its value"
            if name == "value":
                write = f"{{{draft.rule.value}}} for the value"
            elif not field_named(name) and not name.startswith(BUDGETS):
                continue
            text = f"two braces show {shown} as it stands; write {write}"
            yield _Advice(key, text, Span(*found.span()))
