"""Which keys a rule file may hold, table by table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one kind of table."""

    built: frozenset[str]
    belongs: str = ""  # where such a table stands, for a key of it that stands elsewhere
    meant: Mapping[str, str] = field(default_factory=dict)  # what others call a key, and what it is called here


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LEVELS: Final = _words("info warning critical")

TOP: Final = Keys(_words("accounts budgets channels defaults rules quiet report"))
ACCOUNT: Final = Keys(
    _words("api_key every base_url tz notify budgets stale_after no_data_after sub_accounts sub"),
    belongs="[accounts.NAME]",
)
SUB: Final = Keys(_words("budgets notify"))
SLACK: Final = Keys(
    _words("kind webhook_url token channel app_token base_url mention"),
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
WEBHOOK: Final = Keys(
    _words("kind url secret"),
    meant={
        **dict.fromkeys(("address", "endpoint", "uri"), "url"),
        **dict.fromkeys(("signing_secret", "signing_key", "key"), "secret"),
    },
)
APPRISE: Final = Keys(
    _words("kind url"),
    meant=dict.fromkeys(("apprise_url", "address", "uri"), "url"),
)
TERMINAL: Final = Keys(_words("kind"))
KINDS: Final = Keys(
    _words("slack email webhook apprise terminal"),
    meant={
        **dict.fromkeys(("mail", "smtp"), "email"),
        **dict.fromkeys(("http", "https", "webhooks"), "webhook"),
        **dict.fromkeys(("pagerduty", "discord", "telegram", "teams", "ntfy", "pushover", "opsgenie"), "apprise"),
    },
)
DEFAULTS: Final = Keys(_words("notify remind for fallback"), belongs="[defaults]")
REPORT: Final = Keys(
    _words("every at day tz notify"),
    belongs="[report]",
    meant={
        **dict.fromkeys(("time", "hour", "when"), "at"),
        **dict.fromkeys(("interval", "period", "schedule"), "every"),
        **dict.fromkeys(("days", "weekday"), "day"),
        **dict.fromkeys(("timezone", "zone"), "tz"),
        **dict.fromkeys(("channels", "to"), "notify"),
    },
)
REMIND: Final = Keys(LEVELS | {"max"})
RULE: Final = Keys(
    _words("value info warning critical clear when for keep_firing_for")
    | _words("unit summary description runbook notify remind enabled")
    | _words("each accounts labels renamed_from quiet"),
    belongs="[rules.NAME]",
    meant={
        **dict.fromkeys(("expr", "expression", "query", "metric", "field"), "value"),
        **dict.fromkeys(("if", "condition"), "when"),
        **dict.fromkeys(("duration", "pending_for", "hold", "hold_for"), "for"),
        **dict.fromkeys(("clear_for", "clear_after", "resolve_after"), "keep_firing_for"),
        **dict.fromkeys(("message", "title", "text"), "summary"),
        **dict.fromkeys(("channels", "receivers", "send_to", "slack", "email"), "notify"),
        **dict.fromkeys(("mute", "disable", "active"), "enabled"),
        **dict.fromkeys(("repeat", "repeat_interval"), "remind"),
        **dict.fromkeys(("per", "group_by", "by"), "each"),
        **dict.fromkeys(("threshold", "severity", "level"), "warning"),
        **dict.fromkeys(("error", "high"), "critical"),
        **dict.fromkeys(("silence", "silent", "mute_times", "quiet_hours"), "quiet"),
        "tags": "labels",
    },
)
QUIET: Final = Keys(
    _words("days from to tz"),
    belongs="[quiet.NAME]",
    meant={
        **dict.fromkeys(("start", "starts", "begin", "since"), "from"),
        **dict.fromkeys(("end", "ends", "until", "till"), "to"),
        **dict.fromkeys(("weekdays", "on", "day"), "days"),
        **dict.fromkeys(("timezone", "time_zone", "zone"), "tz"),
    },
)

SECRETS: Final = _words("api_key token app_token webhook_url password secret routing_key")
"""Keys whose value is a secret, wherever they stand."""


def home(key: str) -> str:
    """Where a key belongs that was met in a table which has none such; empty for a key of no table."""
    return next((keys.belongs for keys in (DEFAULTS, RULE, ACCOUNT, SLACK, EMAIL, QUIET) if key in keys.built), "")
