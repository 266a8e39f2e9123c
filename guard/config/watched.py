"""What is watched on an account, as its configuration says: for the cycle and for its replay alike."""

from datetime import timedelta

from guard.config.things import AccountConfig
from guard.lifecycle.decide import Watched


def watched_on(config: AccountConfig, *, every: timedelta, outage_counts: bool = True) -> Watched:
    """What is watched on an account whose answers are `every` apart."""
    return Watched(
        name=config.name,
        rules=config.rules,
        no_data=config.no_data,
        budgets=config.budgets,
        every=every,
        no_data_after=config.no_data_after,
        tz=config.tz,
        outage_counts=outage_counts,
    )
