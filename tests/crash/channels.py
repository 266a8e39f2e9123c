"""The rule file of the service under fire: one account, two rules, and the channels that a run is about."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from tests.stand_ins.workspace_state import TOKEN

KEY: Final = "key-of-the-stage"
WEBHOOK_PATH: Final = "/services/T0/B0/token"


class Kind(StrEnum):
    """A channel, by the name that it has in the rule file."""

    WEBHOOK = "webhook"
    BOT = "bot"
    MAIL = "mail"


RECIPIENTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.WEBHOOK: ("",),
    Kind.BOT: ("",),
    Kind.MAIL: ("ann@example.com", "ben@example.com"),
}
THREADED: Final = frozenset({Kind.BOT, Kind.MAIL})

_RULES: Final = """
[accounts.main]
api_key = "${{STAGE_KEY}}"
every = "1s"
base_url = "{api}"

[defaults]
notify = {names}
remind = {{ critical = "off", warning = "off" }}

[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"

[rules.numbers-used]
value = "numbers.used / numbers.limit"
warning = "> 80%"
for = "2s"
"""
_TABLES: Final[Mapping[Kind, str]] = {
    Kind.WEBHOOK: '[channels.webhook]\nkind = "slack"\nwebhook_url = "${STAGE_WEBHOOK}"\n',
    Kind.BOT: (
        '[channels.bot]\nkind = "slack"\ntoken = "${STAGE_TOKEN}"\nchannel = "#ops"\nbase_url = "${STAGE_SLACK}"\n'
    ),
    Kind.MAIL: (
        '[channels.mail]\nkind = "email"\nhost = "127.0.0.1"\nport = %PORT%\nsecurity = "none"\n'
        f'from = "guard@example.com"\nto = {json.dumps(RECIPIENTS[Kind.MAIL])}\n'
    ),
}


def rule_file(kinds: Iterable[Kind], addresses: Mapping[str, str]) -> str:
    """The rule file that tells these channels; `addresses` are those that the stage printed."""
    kinds = list(kinds)
    tables = "".join(_TABLES[kind] for kind in kinds).replace("%PORT%", addresses["mail"])
    return _RULES.format(api=addresses["api"], names=json.dumps(kinds)) + tables


def environ(addresses: Mapping[str, str]) -> dict[str, str]:
    """What the rule file finds in the environment."""
    return {
        "STAGE_KEY": KEY,
        "STAGE_WEBHOOK": f"{addresses['steering']}{WEBHOOK_PATH}",
        "STAGE_TOKEN": TOKEN,
        "STAGE_SLACK": addresses["slack"],
    }
