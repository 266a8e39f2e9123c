"""Which keys a rule file may hold, table by table; and those that are known and not built yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one kind of table."""

    built: frozenset[str]
    later: frozenset[str] = frozenset()
    belongs: str = ""  # where such a table stands, for a key of it that stands elsewhere
    meant: Mapping[str, str] = field(default_factory=dict)  # what others call a key, and what it is called here


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LEVELS: Final = _words("info warning critical")

TOP: Final = Keys(_words("accounts budgets channels defaults rules"), _words("report quiet"))
ACCOUNT: Final = Keys(
    _words("api_key every base_url tz notify budgets stale_after no_data_after sub_accounts sub"),
    belongs="[accounts.NAME]",
)
SUB: Final = Keys(_words("budgets notify"))
SLACK: Final = Keys(
    _words("kind webhook_url token channel base_url mention"),
    _words("app_token"),
    belongs="[channels.NAME] of kind slack",
)
EMAIL: Final = Keys(
    _words("kind host port security username password from to"),
    belongs="[channels.NAME] of kind email",
    meant={
        **dict.fromkeys(("server", "smtp", "smtp_server", "smarthost", "hostname"), "host"),
        **dict.fromkeys(("tls", "ssl", "starttls", "use_tls", "encryption"), "security"),
        **dict.fromkeys(("login", "auth_username"), "username"),
        **dict.fromkeys(("sender", "mail_from"), "from"),
        **dict.fromkeys(("recipient", "recipients", "rcpt_to"), "to"),
    },
)
TERMINAL: Final = Keys(_words("kind"))
KINDS: Final = Keys(_words("slack email terminal"), _words("webhook apprise"))
DEFAULTS: Final = Keys(_words("notify remind for"), _words("fallback"), "[defaults]")
REMIND: Final = Keys(LEVELS | {"max"})
RULE: Final = Keys(
    _words("value info warning critical clear when for keep_firing_for")
    | _words("unit summary description runbook notify remind enabled")
    | _words("each accounts labels renamed_from"),
    _words("quiet"),
    "[rules.NAME]",
    meant={
        **dict.fromkeys(("expr", "expression", "query", "metric", "field"), "value"),
        **dict.fromkeys(("if", "condition"), "when"),
        **dict.fromkeys(("duration", "pending_for", "hold", "hold_for"), "for"),
        **dict.fromkeys(("clear_for", "clear_after", "resolve_after"), "keep_firing_for"),
        **dict.fromkeys(("message", "title", "text"), "summary"),
        **dict.fromkeys(("channels", "receivers", "send_to"), "notify"),
        **dict.fromkeys(("repeat", "repeat_interval"), "remind"),
        **dict.fromkeys(("per", "group_by", "by"), "each"),
        **dict.fromkeys(("threshold", "severity", "level"), "warning"),
        **dict.fromkeys(("error", "high"), "critical"),
        "tags": "labels",
    },
)

SECRETS: Final = _words("api_key token app_token webhook_url password secret routing_key")
"""Keys whose value is a secret, wherever they stand."""

INSTEAD: Final = {"fallback": "notify with more than one channel"}
"""What does today what a key that is not built yet will do."""


def home(key: str) -> str:
    """Where a key belongs that was met in a table which has none such; empty for a key of no table."""
    return next((keys.belongs for keys in (DEFAULTS, RULE, ACCOUNT, SLACK, EMAIL) if key in keys.built), "")
