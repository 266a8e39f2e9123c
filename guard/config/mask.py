"""Keeps secrets that someone wrote into a rule file out of what is shown of it."""

import re
from difflib import get_close_matches
from typing import Final

from guard.config.keys import ACCOUNT, DEFAULTS, EMAIL, LEVELS, REMIND, RULE, SECRETS, SLACK
from guard.config.places import Path, Places
from guard.rules.complaint import Span

VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""How a value of the environment is asked for, as the whole of a value."""

_ABOUT_RULES: Final = frozenset({"defaults", "rules", "report", "quiet"})
_PLAIN: Final = (ACCOUNT.built | SLACK.built | EMAIL.built | LEVELS) - SECRETS

# A line that sets something whose name sounds like a secret, however it is spelled and whether or not it is TOML.
_SECRET_LINE: Final = re.compile(
    r"""
    (?:^|[{,]) [ \t]*+ (?:[\w-]++[ \t]*+\.[ \t]*+){0,8}+
    ["']? (?=[\w-]*?(?:key|token|secret|passw|pwd|hook|auth|credential)) [\w-]++ ["']?
    [ \t]*+ (?:=[ \t]*+|:?[ \t]*+(?=["']))
    (?! ["']?\$\{[A-Za-z_]\w*\}["']?[ \t]*(?:[,}\#\n]|$) | [\[{] | [\d_.]+[ \t]*(?:[,}\#\n]|$) )
    (?P<value> \"{3}(?:.|\n)*?(?:\"{3}|\Z) | '{3}(?:.|\n)*?(?:'{3}|\Z) | [^\n]+ )
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
# What a secret looks like wherever it stands: Slack's webhook addresses and tokens, API keys, what webhooks are signed
# with, addresses of Apprise, passwords in addresses.
_SECRET: Final = re.compile(
    r"""
    hooks\.slack\.com/ (?P<path>[^\s"'<>]+)
    | \b (?P<token> (?:xox[a-z]|xapp|sk|pk|rk)[-_][\w.-]{6,} )
    | \b whsec_ (?P<signing>[\w+/=-]{6,})
    | \b (?!https?:|smtps?:) [a-z][a-z0-9]{1,31} :// (?P<service>[^\s"'<>]+)
    | \b bearer [ ]+ (?P<bearer>[\w.~+/=-]{6,})
    | :// (?P<user>[^/@\s"'<>]*) @
    | :// [^\s"'<>?\#]* [?\#] (?P<query>[^\s"'<>]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)


_HARMLESS: Final = _PLAIN | RULE.built | DEFAULTS.built | REMIND.built
_SURELY_HARMLESS: Final = _HARMLESS - {"to"}  # which is what a slip makes of `token`
_CUT_SHORT: Final = frozenset({"warn", "crit", "desc"})  # rule keys, which are less alike than a slip
_QUOTED_COMMENT: Final = re.compile(r"#[^\n\"']*[\"'](?P<quoted>[^\n]*)")
_BEGINNING: Final = re.compile(r"[ \t]*[\"']?(?P<key>[\w-]*)[\"']?")
_A_SLIP: Final = 0.75  # of 1: `warnign` is `warning`, but `url` is no `runbook_url`
_HEADER: Final = re.compile(r"[ \t]*\[[^=\"']*")
_COMMENT: Final = re.compile(r"(?:(?<=^#)|(?<=[ \t]#)).*")
_NUMBERS: Final = re.compile(r"[ \t]*=[-+ \t\d_.,]*")


def scrubbed(text: str) -> str:
    """A text from a rule file without what looks like a secret; for words that a message repeats."""
    return _SECRET.sub(lambda match: _starred(match, match.lastgroup or ""), text)


def masked(text: str, found: Places) -> str:
    """The text of a rule file, as long as before, with stars where a secret stands or may stand.

    That is: the value of a key that holds secrets; any string whose key is not known to hold none, save under budgets;
    what is quoted in a comment; and what looks like a secret, in addresses the query too. `"${NAME}"` is shown.
    """
    shown = list(text)
    for path, place in found.by_path.items():
        if place.value is not None and _may_be_secret(path, text[place.value.start : place.value.end]):
            _star(shown, place.value)
    for match in _SECRET_LINE.finditer(text):
        _star(shown, Span(*match.span("value")))
    for match in _QUOTED_COMMENT.finditer(text):
        _star(shown, Span(*match.span("quoted")))
    return scrubbed("".join(shown))


def masked_line(line: str) -> str:
    """A line that is no TOML, on which a secret may have ended up by any slip: only what surely holds none is shown."""
    beginning = _BEGINNING.match(line)
    key = beginning["key"] if beginning else ""
    rest = line[beginning.end() :] if beginning else line
    if key in _SURELY_HARMLESS or line.lstrip()[:1] == "#" or _HEADER.fullmatch(line) or _NUMBERS.fullmatch(rest):
        shown = line[: len(line) - len(rest)] if key else line
        return shown + _COMMENT.sub(lambda comment: re.sub(r"\S", "*", comment[0]), line[len(shown) :])
    keeps_key = key and rest.lstrip()[:1] == "="
    shown = line[: len(line) - len(rest)] if keeps_key else ""
    return shown + re.sub(r"[^\s=\"']", "*", line[len(shown) :])


def _may_be_secret(path: Path, literal: str) -> bool:
    keys = [key for key in path if isinstance(key, str)]
    if literal[:1] in ("[", "{") or VARIABLE.fullmatch(literal.strip("\"'")):
        return False
    if not SECRETS.isdisjoint(keys[2:]):
        return True
    is_text = literal[:1] in ("'", '"')
    if not is_text or not keys or keys[0] == "budgets":
        return is_text and not keys
    harmless = _HARMLESS if keys[0] in _ABOUT_RULES else _PLAIN
    # A slip of the pen in a key is the commonest mistake, and its line is to be read; unless it may mean a secret.
    close = get_close_matches(keys[-1][:100], sorted(SECRETS | harmless), n=1, cutoff=_A_SLIP)
    return harmless.isdisjoint(close) and not (keys[0] in _ABOUT_RULES and keys[-1] in _CUT_SHORT)


def _star(shown: list[str], span: Span) -> None:
    for offset in range(span.start, min(span.end, len(shown))):
        if shown[offset] not in "\n\"'":
            shown[offset] = "*"


def _starred(match: re.Match[str], group: str) -> str:
    start, end = (offset - match.start() for offset in match.span(group))
    whole = match[0]
    return whole[:start] + "*" * (end - start) + whole[end:]
