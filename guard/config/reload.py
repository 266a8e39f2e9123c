"""What an edit of the rule file changes, line by line for people, and never with the value of a secret; pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta, tzinfo

from guard.config.quiet import DAYS, window_text
from guard.config.things import AccountConfig, Config, ReportConfig, Rhythm, SubAccounts
from guard.model import Level
from guard.rules.policy import Policy, Remind
from guard.rules.rule import Rule
from guard.units import duration_text, number_text

_NONE = "none"


def changes(old: Config, new: Config) -> tuple[str, ...]:
    """One line for each thing that changed; empty where nothing did but comments, spaces and order.

    First accounts, then what changed on them, then channels and the report. What changed on every account alike is said
    once.
    """
    before, after = dict(_accounts(old)), dict(_accounts(new))
    both = {name: list(_account(before[name], each)) for name, each in after.items() if name in before}
    lines = [f"account {name} {word}" for word, name in _come_and_gone(before, after)]
    lines += _summed_up(both)
    lines += [f"channel {name} {word}" for word, name in _come_and_gone(old.channels, new.channels)]
    lines += [
        f"channel {name} changed"
        for name, channel in new.channels.items()
        if name in old.channels and channel != old.channels[name]
    ]
    lines += _moved("", _fallback(old), _fallback(new))
    lines += _moved("report: ", _reported(old.report), _reported(new.report))
    return tuple(lines)


def _fallback(config: Config) -> Mapping[str, str]:
    return {"fallback": ", ".join(config.fallback) or _NONE}


def _reported(report: ReportConfig | None) -> Mapping[str, str]:
    if report is None:
        return {}
    day = DAYS[report.day] if report.every is Rhythm.WEEKLY else ""
    at = f"{report.at:%H:%M} {_zone(report.tz)}"
    return {"told": " ".join(filter(None, (report.every, day, at))), "notify": ", ".join(report.notify)}


def _accounts(config: Config) -> Iterator[tuple[str, AccountConfig]]:
    """The accounts, and the sub-accounts where they are watched in another way than their masters."""
    return ((each.name, each) for each in config.patterns)


def _come_and_gone(old: Iterable[str], new: Iterable[str]) -> Iterator[tuple[str, str]]:
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    yield from (("added", name) for name in after if name not in before)
    yield from (("removed", name) for name in before if name not in after)


def _summed_up(by_account: Mapping[str, list[str]]) -> Iterator[str]:
    """Each line once where it is that of every account, else with the account's name before it."""
    times = Counter(line for lines in by_account.values() for line in lines)
    said = set[str]()
    for name, lines in by_account.items():
        for line in lines:
            if times[line] < len(by_account) or _is_of_the_account(line):
                yield f"account {name}: {line}"
            elif line not in said:
                said.add(line)
                yield line


def _is_of_the_account(line: str) -> bool:
    return not line.startswith(("rule ", "budget ", "guard."))


def _account(old: AccountConfig, new: AccountConfig) -> Iterator[str]:
    if not new.sub_id:  # a sub-account has its master's
        yield from _settings(old, new)
    yield from _moved("budget ", _numbers(old.budgets), _numbers(new.budgets))
    yield from _rules(old, new)
    yield from _moved(f"{new.no_data.rule}: ", _told(old.no_data), _told(new.no_data))


def _settings(old: AccountConfig, new: AccountConfig) -> Iterator[str]:
    if old.api_key != new.api_key:
        variables = dict.fromkeys((old.api_key.variable, new.api_key.variable))
        yield f"api_key reads {' -> '.join(variables)}" if len(variables) > 1 else "api_key has another value"
    yield from _moved("", _said(old), _said(new))


def _said(account: AccountConfig) -> Mapping[str, str]:
    return {
        "base_url": account.base_url,
        "every": duration_text(account.every),
        "stale_after": duration_text(account.stale_after),
        "no_data_after": duration_text(account.no_data_after),
        "tz": _zone(account.tz),
        "sub_accounts": _subs(account.subs),
    }


def _zone(tz: tzinfo) -> str:
    return str(getattr(tz, "key", tz))


def _subs(subs: SubAccounts | None) -> str:
    if subs is None:
        return _NONE
    return "all" if subs.ids is None else ", ".join(subs.ids) or _NONE


def _numbers(budgets: Mapping[str, float]) -> Mapping[str, str]:
    return {name: number_text(number) for name, number in budgets.items()}


def _rules(old: AccountConfig, new: AccountConfig) -> Iterator[str]:
    before, after = ({rule.name: rule for rule in account.rules} for account in (old, new))
    known, names = ({*rules} | account.disabled for rules, account in ((before, old), (after, new)))
    for name, rule in after.items():
        if name in before:
            yield from _moved(f"rule {name}: ", _rule(before[name]), _rule(rule))
            yield from _reworded(before[name], rule)
        elif name in known:
            yield f"rule {name} enabled"
        elif rule.renamed_from in known - names:
            yield f"rule {rule.renamed_from} renamed to {name}"
            if was := before.get(rule.renamed_from):
                yield from _moved(f"rule {name}: ", _rule(was), _rule(rule))
        else:
            yield f"rule {name} added"
    yield from (f"rule {name} disabled" for name in sorted(new.disabled & before.keys()))
    yield from (f"rule {name} added, disabled" for name in sorted(new.disabled - known))
    renamed = {rule.renamed_from for rule in new.rules}
    yield from (f"rule {name} removed" for name in sorted(known - names - renamed))


def _rule(rule: Rule) -> Mapping[str, str]:
    """What decides, and who is told, by the keys of the rule file; what is left out there is absent."""
    policy = rule.policy
    said = {
        "value": str(rule.value),
        **{level.word: str(condition) for level, condition in sorted(rule.conditions.items())},
        "clear": str(rule.clear or ""),
        "when": str(rule.when or ""),
        "for": _duration(policy.hold),
        "keep_firing_for": _duration(policy.keep_firing_for),
        "unit": rule.unit,
        "each": str(rule.each or ""),
        "runbook": rule.runbook,
        "quiet": ", ".join(map(window_text, policy.quiet)),
        "labels": ", ".join(f"{name} {value}" for name, value in sorted(policy.labels.items())),
        **_told(policy),
    }
    return {name: text for name, text in said.items() if text}


def _reworded(old: Rule, new: Rule) -> Iterator[str]:
    for key in ("summary", "description"):
        if getattr(old, key) != getattr(new, key):
            yield f"rule {new.name}: {key} changed"


def _told(policy: Policy) -> Mapping[str, str]:
    """Who is told and reminded; only channels are named, for who is behind them stands in the channel."""
    by_level = [(level, policy.routes.get(level, ())) for level in policy.levels]
    routes = {channels for _, channels in by_level}
    if len(routes) == 1:
        notify = ", ".join(*routes)
    else:
        notify = "; ".join(f"{level.word} {', '.join(channels) or 'nobody'}" for level, channels in by_level)
    return {"notify": notify or "nobody", **_reminders(policy.remind)}


def _reminders(remind: Remind) -> Mapping[str, str]:
    every = {level: remind.every.get(level) for level in Level}
    return {
        **{f"remind {level.word}": duration_text(often) if often else "off" for level, often in every.items()},
        "remind at most": str(remind.at_most),
    }


def _duration(duration: timedelta) -> str:
    return duration_text(duration) if duration else ""


def _moved(prefix: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name, _NONE), new.get(name, _NONE)
        if before != after:
            yield f"{prefix}{name} {before} -> {after}"
