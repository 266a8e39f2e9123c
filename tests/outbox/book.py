"""The rule files of the machine: five rules about a field of their own, and each way in which the file is edited."""

from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import cache
from typing import Final

from guard.config import Config, load

CHANNELS: Final = ("bot", "hook", "mail")
RULES: Final = 5
BOTH: Final = ("ann@example.com", "ben@example.com")


class Edit(StrEnum):
    """What is different in a rule file from the first one."""

    ONE_RULE = "only one rule is left"
    ONE_ADDRESS = "one address is taken out"
    NO_HOOK = "a channel is taken out"
    THRESHOLD = "a warning begins higher"
    RENAMED = "a rule has another name"
    DISABLED = "a rule is turned off"
    ROUTES = "a rule tells others"
    QUIET = "some rules are quiet by day"
    ACCOUNT = "the account is another one"


_CHANNELS: Final = {
    "bot": 'kind = "slack"\ntoken = "${SECRET}"\nchannel = "#ops"\n',
    "hook": 'kind = "slack"\nwebhook_url = "${URL}"\n',
    "mail": 'kind = "email"\nhost = "localhost"\nsecurity = "none"\nfrom = "guard@example.com"\n',
}


@cache
def book(edits: AbstractSet[Edit] = frozenset()) -> Config:
    """The rule file with these edits; each rule fires above 1 and is critical above 2."""
    names = [name for name in CHANNELS if name != "hook" or Edit.NO_HOOK not in edits]
    text = f'[accounts.{"spare" if Edit.ACCOUNT in edits else "main"}]\napi_key = "${{SECRET}}"\n'
    text += "".join(f"[channels.{name}]\n{_CHANNELS[name]}" for name in names)
    text += f"to = {list(BOTH[:1] if Edit.ONE_ADDRESS in edits else BOTH)}\n"
    text += f'[defaults]\nnotify = {names}\nremind = {{ critical = "4h", warning = "off" }}\n'
    text += '[quiet.day]\nfrom = "06:00"\nto = "18:00"\n'
    text += "".join(_rule(number, edits) for number in range(1 if Edit.ONE_RULE in edits else RULES))
    loaded = load(text, path="rules.toml", secret={"SECRET": "xoxb-1", "URL": "https://example.com/x"}.get)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


def _rule(number: int, edits: AbstractSet[Edit]) -> str:
    """One rule; the first renames back and forth, and each goes its own way in one thing."""
    names = [f"r{number}", f"q{number}"]
    name, former = names[::-1] if Edit.RENAMED in edits and number == 0 else names
    warning = 2 if Edit.THRESHOLD in edits and number == 0 else 1
    lines = [f"[rules.{name}]", f'renamed_from = "{former}"', f'value = "stats.probe{number}"']
    lines += [f'warning = "> {warning}"', 'critical = "> 2"']
    if number == 1:
        lines.append('keep_firing_for = "5m"')
    if number == 2 and Edit.ROUTES in edits:
        lines.append('notify = ["mail"]')
    if number == 3:
        lines.append('notify = { warning = ["bot"], critical = ["bot", "mail"] }')
    if number in {0, 3} and Edit.QUIET in edits:
        lines.append('quiet = ["day"]')
    if number == 4 and Edit.DISABLED in edits:
        lines.append("enabled = false")
    return "\n".join(lines) + "\n"
