"""What a silence is about, among all that is known: so that a misspelled one shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from guard.cli.rule_file import counted
from guard.cli.situation import account_config
from guard.lifecycle.mutes import matches
from guard.model import NO_DATA, AlertKey, Silence

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
        names = ", ".join(map(str, self.firing[:_NAMED]))
        more = f" and {len(self.firing) - _NAMED:,} more" if len(self.firing) > _NAMED else ""
        return f"{what}; {f'of them fires {names}{more}' if names else 'nothing of that fires now'}."


def reach_of(silence: Silence, view: "View", config: "Config | None") -> Reach:
    """What a silence is about by the rule file, and by what is stored."""
    alerts = view.alerts()
    labels = dict(_watched(view, config))
    for key, alert in alerts.items():
        of_rule = labels.get(AlertKey(key.account, key.rule), {})
        labels[key] = alert.reading.labels if alert.reading is not None else of_rule
    keys = tuple(key for key, own in labels.items() if matches(silence, key, own))
    return Reach(keys, tuple(key for key in keys if key in alerts and alerts[key].incident is not None))


def nearest_name(pattern: str, view: "View", config: "Config | None") -> str:
    """The end of a sentence that names what was perhaps meant by a pattern; empty where nothing is near."""
    from guard.rules.complaint import hint

    names = {str(AlertKey(key.account, key.rule)) for key in (*dict(_watched(view, config)), *view.alerts())}
    return hint(pattern, sorted(names))


def _watched(view: "View", config: "Config | None") -> Iterator[tuple[AlertKey, Mapping[str, str]]]:
    """Every rule of every account and sub-account, with its labels."""
    for name in {**{each.name: None for each in config.accounts}, **view.accounts()} if config else ():
        if (account := account_config(config, name)) is not None:
            yield AlertKey(name, NO_DATA), {}
            yield from ((AlertKey(name, rule.name), rule.policy.labels) for rule in account.rules)
