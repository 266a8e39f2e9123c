"""Which keys a rule file may hold, table by table; and those that are known and not built yet."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one kind of table."""

    built: frozenset[str]
    later: frozenset[str] = frozenset()
    belongs: str = ""  # where such a table stands, for a key of it that stands elsewhere


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LEVELS: Final = _words("info warning critical")

TOP: Final = Keys(_words("accounts budgets channels defaults rules"), _words("report quiet"))
ACCOUNT: Final = Keys(
    _words("api_key every base_url tz notify budgets stale_after no_data_after"),
    _words("sub_accounts sub"),
    "[accounts.NAME]",
)
SLACK: Final = Keys(
    _words("kind webhook_url mention"), _words("token channel app_token base_url"), "[channels.NAME] of kind slack"
)
TERMINAL: Final = Keys(_words("kind"))
KINDS: Final = Keys(_words("slack terminal"), _words("email webhook apprise"))
DEFAULTS: Final = Keys(_words("notify remind for"), _words("fallback"), "[defaults]")
REMIND: Final = Keys(LEVELS | {"max"})
RULE: Final = Keys(
    _words("value info warning critical clear when for keep_firing_for")
    | _words("unit summary description runbook notify remind enabled"),
    _words("each accounts labels renamed_from quiet"),
    "[rules.NAME]",
)

EMAIL: Final = Keys(frozenset(), _words("kind host port username password security from to"))

SECRETS: Final = _words("api_key token app_token webhook_url password secret routing_key")
"""Keys whose value is a secret, wherever they stand."""

INSTEAD: Final = {
    "token": "webhook_url",
    "app_token": "webhook_url",
    "channel": "webhook_url, which names its Slack channel itself",
    "fallback": "notify with more than one channel",
}
"""What does today what a key that is not built yet will do."""


def home(key: str) -> str:
    """Where a key belongs that was met in a table which has none such; empty for a key of no table."""
    return next((keys.belongs for keys in (DEFAULTS, RULE, ACCOUNT, SLACK) if key in keys.built), "")
