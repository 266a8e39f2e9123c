"""The built-in rule guard.config_invalid: whom it tells that the rule file cannot be used, and in which words; pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from guard.config.things import Config
from guard.model import CONFIG_INVALID, AlertKey, Evaluation, Level, Reading
from guard.rules.policy import Policy

_SHOWN: Final = 5  # of its errors


def invalid_key(config: Config) -> AlertKey:
    """The alert of a rule file; as every alert has an account, it stands with the first one of the file in force."""
    return AlertKey(config.accounts[0].name, CONFIG_INVALID)


def invalid_policy(config: Config) -> Policy:
    """Whoever is told of missing data is told of it: `defaults.notify`, or every channel."""
    no_data = config.accounts[0].no_data
    routes = {Level.WARNING: no_data.routes[Level.WARNING]}
    return replace(no_data, rule=CONFIG_INVALID, levels=(Level.WARNING,), routes=routes)


def evaluate_invalid(key: AlertKey, faults: Sequence[str], *, now: datetime) -> Evaluation:
    """What is to be said of a rule file with these faults, which hold no secret; without any it is good again."""
    return Evaluation(
        key=key,
        holds={Level.WARNING: bool(faults)},
        clear=not faults,
        reading=Reading(now, summary=_summary(faults), description=_description(faults)),
    )


def _summary(faults: Sequence[str]) -> str:
    if not faults:
        return "the rule file can be used again"
    return "the rule file cannot be used as it is; the last good one stays in force"


def _description(faults: Sequence[str]) -> str:
    more = len(faults) - _SHOWN
    return "\n".join([*faults[:_SHOWN], *([f"and {more:,} more; `guard check` shows all"] if more > 0 else [])])
