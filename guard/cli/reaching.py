"""What a silence is about, among all that is known: so that a misspelled one shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from guard.cli.situation import account_config
from guard.lifecycle.mutes import matches
from guard.message import listed
from guard.model import NO_DATA, AlertKey, Silence
from guard.units import counted

if TYPE_CHECKING:
    from guard.config import Config
    from guard.store import View

_NAMED: Final = 3  # of those that fire


@dataclass(frozen=True, slots=True)
class Reach:
    """The alerts that a silence is about, evaluated yet or not."""

    keys: tuple[AlertKey, ...]
    firing: tuple[AlertKey, ...]

    @property
    def text(self) -> str:
        """What is matched, which is something, in one sentence."""
        rules, accounts = ({getattr(each, part) for each in self.keys} for part in ("rule", "account"))
        what = f"It matches {counted(len(rules), 'rule')} on {counted(len(accounts), 'account')}"
        names = listed([*map(str, self.firing)], at_most=_NAMED)
        return f"{what}; {f'of them fires {names}' if names else 'none of them fires now'}."


def reach_of(silence: Silence, view: "View", config: "Config | None") -> Reach:
    """What a silence is about by the rule file, and by what is stored."""
    alerts = view.alerts()
    labels = dict(_watched(view, config))
    for key, alert in alerts.items():
        of_rule = labels.get(AlertKey(key.account, key.rule), {})
        labels[key] = alert.reading.labels if alert.reading is not None else of_rule
    keys = tuple(key for key, own in labels.items() if matches(silence, key, own))
    return Reach(keys, tuple(key for key in keys if key in alerts and alerts[key].incident is not None))


def why_nothing(silence: Silence, view: "View", config: "Config | None") -> str:
    """Why a silence is about nothing, or what was perhaps meant, as the end of a sentence; empty where nobody knows."""
    from guard.rules.complaint import hint

    if silence.labels and reach_of(replace(silence, labels={}), view, config).keys:
        labels = " ".join(f"{name}={text}" for name, text in silence.labels.items())
        return f", since nothing there is labelled {labels};"
    names = {str(AlertKey(key.account, key.rule)) for key in (*dict(_watched(view, config)), *view.alerts())}
    return hint(silence.pattern, sorted(names))


def _watched(view: "View", config: "Config | None") -> Iterator[tuple[AlertKey, Mapping[str, str]]]:
    """Every rule of every account and sub-account, with its labels."""
    for name in {**{each.name: None for each in config.accounts}, **view.accounts()} if config else ():
        if (account := account_config(config, name)) is not None:
            yield AlertKey(name, NO_DATA), {}
            yield from ((AlertKey(name, rule.name), rule.policy.labels) for rule in account.rules)
