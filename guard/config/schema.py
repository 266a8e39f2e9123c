"""The rule file as a JSON Schema, by which editors complete it, explain it and check it while it is written."""

from collections.abc import Mapping
from typing import Any, Final

from guard.config.keys import (
    ACCOUNT,
    APPRISE,
    DEFAULTS,
    EMAIL,
    LEVELS,
    QUIET,
    REMIND,
    REPORT,
    RULE,
    SLACK,
    SUB,
    TERMINAL,
    TOP,
    WEBHOOK,
    Keys,
)
from guard.config.mail import MOST_RECIPIENTS
from guard.config.mask import VARIABLE
from guard.config.quiet import DAYS
from guard.config.slack import MENTION
from guard.config.things import Rhythm, Security
from guard.model import Each, Level

NAME: Final = "rules.schema.json"
"""What the file is called that stands beside a rule file, which names it in its first line."""

Fragment = dict[str, Any]
"""A part of a schema."""

# Draft 7 is the newest that editors of TOML understand: https://taplo.tamasfe.dev/configuration/using-schemas.html
_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_NAME: Final = "[A-Za-z0-9_-]{1,64}"
_SUB_ID: Final = "[A-Za-z0-9._-]{1,64}"
_BUDGET: Final = "[a-z][a-z0-9_]{0,63}"
_GLOB: Final = "[A-Za-z0-9._:*?-]{1,129}"
_DURATION: Final = "[0-9]{1,9}[smhd]"
_PAUSE: Final = "(?=0*[1-9])[0-9]{1,9}[smhd]"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_DAYS: Final = f"({'|'.join(DAYS)})(-({'|'.join(DAYS)}))?"
_MAILBOX: Final = r"[!-;=?A-~]+@[A-Za-z0-9.-]+"
_ADDRESS: Final = r"https://[!-~]+|http://(localhost|127\.|\[::1\])[!-~]*"
_OPERATOR: Final = r"\s*(<=|>=|==|!=|<|>)(?!=)[\s\S]*\S[\s\S]*"
_WORDS: Final = tuple(level.word for level in Level)


def schema() -> Fragment:
    """The whole schema; what it refuses, `guard check` refuses too, but for a `kind` from the environment."""
    tables = {
        "accounts": _named(_ref("account"), "An account is an AgentPhone API key."),
        "budgets": _ref("budgets", "Numbers worth keeping at the top of the file; rules read them as budgets.NAME."),
        "channels": _named(_ref("channel"), "Where people are told."),
        "defaults": _ref("defaults", "What goes for every rule that does not say otherwise."),
        "quiet": _named(_ref("quiet"), "Times of the week in which rules that name them tell of critical alone."),
        "report": _ref("report", "A summary that is told whether or not anything happened."),
        "rules": _named(_ref("rule"), "What is watched: a value, and the levels at which people are told.", least=0),
    }
    return {
        "$schema": _DIALECT,
        "title": "The rule file of quota-guard",
        **_table(TOP, tables, required=("accounts", "channels")),
        "definitions": _definitions(),
    }


def _definitions() -> Fragment:
    return {
        "account": _table(ACCOUNT, _ACCOUNT, required=("api_key",)),
        "sub": _table(SUB, {key: _ACCOUNT[key] for key in ("budgets", "notify")}),
        "budgets": {
            "type": "object",
            "patternProperties": {_whole(_BUDGET): {"type": "number", "minimum": 0}},
            "additionalProperties": False,
        },
        "channel": {"anyOf": [_ref(kind) for kind in ("slack", "email", "webhook", "apprise", "terminal")]},
        "slack": _table(SLACK, _SLACK, required=("kind",)) | {"oneOf": _SLACK_WAYS},
        "email": _table(EMAIL, _EMAIL, required=("kind", "host", "from", "to"))
        | {"dependencies": {"username": ["password"], "password": ["username"]}},
        "webhook": _table(WEBHOOK, _WEBHOOK, required=("kind", "url", "secret")),
        "apprise": _table(APPRISE, _APPRISE, required=("kind", "url")),
        "terminal": _table(TERMINAL, {"kind": _kind("terminal", "Prints.")}, required=("kind",)),
        "defaults": _table(DEFAULTS, _DEFAULTS),
        "rule": _table(RULE, _RULE, required=("value",)) | {"anyOf": [{"required": [word]} for word in _WORDS]},
        "quiet": _table(QUIET, _QUIET) | {"dependencies": {"from": ["to"], "to": ["from"]}},
        "channels": _list(_text(), ""),
        "report": _table(REPORT, _REPORT),
        "remind": _table(REMIND, _REMIND),
        "duration": _matching(_DURATION),
        "pause": _matching(_PAUSE),
        "level": _matching(_OPERATOR),
    }


# --- what tables are made of ----------------------------------------------------------------------------------------


def _whole(pattern: str) -> str:
    return f"^({pattern})$"


def _text(about: str = "", **more: object) -> Fragment:
    """A text that is not empty."""
    return _about(about) | {"type": "string", "pattern": r"\S"} | more


def _matching(pattern: str, about: str = "") -> Fragment:
    return _about(about) | {"type": "string", "pattern": _whole(pattern)}


def _from_outside(pattern: str, about: str = "", **more: object) -> Fragment:
    """The same where a variable of the environment may stand instead."""
    return _matching(f"{pattern}|{VARIABLE.pattern}", about) | more


def _secret(about: str) -> Fragment:
    return _matching(VARIABLE.pattern, f'{about}, as "${{NAME}}": a secret is never written down.')


def _about(text: str) -> Fragment:
    return {"description": text} if text else {}


def _ref(name: str, about: str = "", **more: object) -> Fragment:
    """Something under `definitions`; draft 7 ignores whatever stands beside a reference, so that is set apart."""
    reference = {"$ref": f"#/definitions/{name}"}
    return _about(about) | more | {"allOf": [reference]} if about else reference


def _list(items: Fragment, about: str, **more: object) -> Fragment:
    return _about(about) | {"type": "array", "items": items} | more


def _table(keys: Keys, fragments: Mapping[str, Fragment], *, required: tuple[str, ...] = ()) -> Fragment:
    """A table of these keys, in the order of the fragments; ValueError where a key has none."""
    properties = {key: fragments[key] for key in sorted(keys.built, key=list(fragments).index)}
    found: Fragment = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": list(required)} if required else {})


def _named(items: Fragment, about: str, *, least: int = 1, name: str = _NAME) -> Fragment:
    """Tables by their names."""
    return {
        "description": about,
        "type": "object",
        "patternProperties": {_whole(name): items},
        "additionalProperties": False,
        "minProperties": least,
    }


def _by_level(items: Fragment) -> Fragment:
    """A table that has something for each level, or for some."""
    return _table(Keys(LEVELS), dict.fromkeys(_WORDS, items))


def _duration(about: str, **more: object) -> Fragment:
    return _ref("duration", about, **more)


def _kind(word: str, about: str) -> Fragment:
    return {"description": about, "type": "string", "enum": [word]}


# --- the tables, key by key -----------------------------------------------------------------------------------------

_NOTIFY: Final = _ref("channels", "The channels that are told, by their names.")
_LEVEL: Final = 'An operator and arithmetic, such as "> 80% * budgets.messages_per_day".'
_MENTION: Final = _by_level(_from_outside(MENTION.pattern)) | _about(
    'Who is pinged, by level: { critical = "<!here>" }.'
)

_ACCOUNT: Final[Mapping[str, Fragment]] = {
    "api_key": _secret("The API key"),
    "every": _from_outside(_PAUSE, 'How often usage is asked, at least "1s".', default="1m"),
    "base_url": _from_outside(_ADDRESS, "Where the API is.", default="https://api.agentphone.ai"),
    "tz": _text('The time zone of times shown, such as "America/New_York".', default="UTC"),
    "notify": _ref("channels", "Channels for this account's alerts, before those of [defaults]."),
    "budgets": _ref("budgets", "This account's own budgets, before those of [budgets]."),
    "stale_after": _from_outside(_PAUSE, "A report that is older than this is no answer."),
    "no_data_after": _from_outside(_PAUSE, "No good answer for this long is an alert."),
    "sub_accounts": {
        "description": 'The sub-accounts that are watched too: "all", or a list of ids.',
        "anyOf": [
            _matching(f"all|{VARIABLE.pattern}"),
            _list(_matching(_SUB_ID) | {"not": {"enum": ["all"]}}, "", minItems=1, uniqueItems=True),
        ],
    },
    "sub": _named(_ref("sub"), "Tables of single sub-accounts, by their ids.", least=0, name=_SUB_ID),
}

_SLACK: Final[Mapping[str, Fragment]] = {
    "kind": _kind("slack", "By an incoming webhook, or by a bot."),
    "webhook_url": _secret("The address of an incoming webhook"),
    "token": _secret("A bot's token"),
    "app_token": _secret("The app's token for Socket Mode, by which messages get buttons"),
    "channel": _text('The bot\'s channel: a name such as "#ops", or an id such as "C0123456789".'),
    "base_url": _from_outside(_ADDRESS, "Where Slack's API is, for a proxy.", default="https://slack.com/api/"),
    "mention": _MENTION,
}

_SLACK_WAYS: Final = [
    {
        "required": ["webhook_url"],
        "not": {"anyOf": [{"required": [key]} for key in ("token", "channel", "app_token", "base_url")]},
    },
    {"required": ["token", "channel"], "not": {"required": ["webhook_url"]}},
]

_EMAIL: Final[Mapping[str, Fragment]] = {
    "kind": _kind("email", "Mail to each address for itself."),
    "host": _text("The mail server's name or address."),
    "port": {
        "description": "587 for starttls, 465 for tls and 25 for none, if left out.",
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 65_535}, _matching(VARIABLE.pattern)],
    },
    "security": _from_outside(
        "|".join(Security),
        '"tls" is private from the start, "none" goes to this very machine only.',
        default="starttls",
    ),
    "username": _text("The name to log in with; left out together with the password: no login."),
    "password": _secret("The password"),
    "from": _text('An address, or "Name <address>".'),
    "to": _list(
        _matching(_MAILBOX), "The people who are told, by their addresses.", minItems=1, maxItems=MOST_RECIPIENTS
    ),
}

_WEBHOOK: Final[Mapping[str, Fragment]] = {
    "kind": _kind("webhook", "By signed JSON to an address of your own."),
    "url": _from_outside(_ADDRESS, 'The address; as "${NAME}" where it holds a secret.'),
    "secret": _secret("What messages are signed with, whsec_ and base64"),
}

_APPRISE: Final[Mapping[str, Fragment]] = {
    "kind": _kind("apprise", "By Apprise, to any of the services that it speaks to."),
    "url": _secret("Apprise's URL of the service"),
}

_FOR: Final = "How long a level must hold before anyone is told."

_REMIND: Final[Mapping[str, Fragment]] = {
    **{word: {"anyOf": [_ref("pause"), {"type": "string", "enum": ["off"]}]} for word in _WORDS},
    "max": {
        "description": "How many times at most, on each channel.",
        "type": "integer",
        "minimum": 0,
        "maximum": 1_000,
    },
}

_DEFAULTS: Final[Mapping[str, Fragment]] = {
    "notify": _NOTIFY,
    "remind": _ref("remind", "How often people are told again while it still fires, by level."),
    "for": _duration(_FOR),
    "fallback": _ref("channels", "The last resort: told what fires while the channel that should be told is failing."),
}

_QUIET: Final[Mapping[str, Fragment]] = {
    "days": _list(
        _matching(_DAYS),
        'The days on which it begins, such as ["mon-fri"]; every day, if left out.',
        minItems=1,
        maxItems=50,
    ),
    "from": _matching(_CLOCK, 'When it begins, such as "22:00"; together with to, or whole days.'),
    "to": _matching(_CLOCK, 'When it ends, such as "06:00"; on the day after where that is earlier than from.'),
    "tz": _text('The time zone of these times, such as "America/New_York"; the account\'s, if left out.'),
}

_REPORT: Final[Mapping[str, Fragment]] = {
    "every": {"description": "How often it is told.", "type": "string", "enum": list(Rhythm), "default": "daily"},
    "at": _matching(_CLOCK, 'The time of day, such as "09:00".') | {"default": "09:00"},
    "day": {
        "description": "The day on which a weekly report is told.",
        "type": "string",
        "enum": list(DAYS),
        "default": "mon",
    },
    "tz": _text("The time zone of that time, and of the times in it; that of the first account, if left out."),
    "notify": _list(_text(), "The channels that get it; those of [defaults], if left out.", minItems=1),
}

_RULE: Final[Mapping[str, Fragment]] = {
    "value": _text('What is watched: an expression that gives a number, such as "numbers.remaining".'),
    **{word: _ref("level", f"When this is {word}. {_LEVEL}") for word in reversed(_WORDS)},
    "clear": _ref("level", "When it is over, written like a level; as soon as no level holds, if left out."),
    "when": _text("A condition, looked at first; while it is false the rule does not apply."),
    "for": _duration(_FOR),
    "keep_firing_for": _duration("How long it must be over before it is called over."),
    "each": {
        "description": "One alert for each phone number, or each agent.",
        "type": "string",
        "enum": [each.value for each in Each],
    },
    "unit": _text("How the value is written: count, share, seconds, dollars, or a noun.", maxLength=32),
    "summary": _text("One line for people, with {expressions} or {expression:format} in it."),
    "description": _text("More for people, written like the summary."),
    "runbook": _matching("https?://[!-~]+", "An address that is shown with the alert."),
    "notify": {
        "description": "The channels that are told: a list, or a table by level, whose absent levels notify nobody.",
        "anyOf": [_ref("channels"), _by_level(_ref("channels"))],
    },
    "remind": _ref("remind", "How often people are told again while it still fires, by level."),
    "accounts": _list(
        _matching(_GLOB), 'The accounts it goes for, such as "main" or "main:*".', minItems=1, maxItems=50
    ),
    "labels": {
        "description": 'Words about the alert, such as { team = "support" }.',
        "type": "object",
        "patternProperties": {_whole(_NAME): _text(maxLength=100)},
        "additionalProperties": False,
        "maxProperties": 20,
    },
    "quiet": _list(_text(), "The quiet windows, by their names, in which critical alone is told."),
    "renamed_from": _text("The name that the rule had before; its alerts go on under the new one."),
    "enabled": {"description": "false turns the rule off.", "type": "boolean", "default": True},
}
