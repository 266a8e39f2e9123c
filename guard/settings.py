"""The environment, read once: where things are, how the log reads, and secrets by name."""

import os
import pwd
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from guard.errors import ConfigError
from guard.logs import LogFormat

_DATABASE_NAME: Final = "guard.db"
_SECRET_BYTES: Final = 65_536  # a longer file is no secret, but perhaps /dev/zero
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_KNOWN: Final = ("GUARD_DATABASE", "GUARD_HEARTBEAT_URL", "GUARD_HEARTBEAT_URL_FILE", "GUARD_LOG", "GUARD_RULES")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; an empty variable counts as not set."""

    rules: Path = Path("rules.toml")
    database: str = field(default=_DATABASE_NAME, repr=False)  # a path, or a URL (which may hold a password)
    log_format: LogFormat = "text"
    heartbeat_url: str | None = field(default=None, repr=False)  # whoever knows it can send heartbeats

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads the variables `GUARD_*`.

        Raises ConfigError for a value that makes no sense, with the variable's name and what it may be.
        """
        return cls(
            rules=_expanded(environ.get("GUARD_RULES") or "rules.toml", environ),
            database=_database(environ),
            log_format=_log_format(environ),
            heartbeat_url=_heartbeat_url(environ),
        )


def read_secret(name: str, environ: Mapping[str, str]) -> str | None:
    """The value of the variable `name`, else the content of the file that `name`_FILE names; None where it is empty.

    Line breaks at a file's end do not count. Raises ConfigError when both are set, when the file cannot be read, and
    for what no key or URL can be: more than one line, control characters, other than UTF-8; never with the value.
    """
    value, path = environ.get(name), environ.get(f"{name}_FILE")
    if value and path:
        raise ConfigError(f"{name} and {name}_FILE are both set; unset one of them")
    place = name
    if path:
        place = f"{name}_FILE: {path}"
        value = _content(path, place=place).rstrip("\r\n")
    if value and _CONTROL.search(value):
        raise ConfigError(f"{place}: holds a line break or another control character; a secret is one line of text")
    return value or None


def unknown_variables(environ: Mapping[str, str], *, known: Iterable[str] = ()) -> dict[str, str]:
    """The variables `GUARD_*` that nobody reads, in alphabetical order, each with the name that was perhaps meant.

    The suggestion is empty where no name is near. `known` are further names in use, such as a rule file's secrets.
    """
    names = {*_KNOWN, *(f"{name}{end}" for name in known for end in ("", "_FILE"))}
    unknown = sorted(name for name in environ if name.startswith("GUARD_") and name not in names)
    return {name: next(iter(get_close_matches(name, _KNOWN, n=1, cutoff=0.8)), "") for name in unknown}


def _content(path: str, *, place: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_SECRET_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read: {error.strerror}") from error
    except ValueError:
        raise ConfigError(f"{place}: is not UTF-8 text") from None
    if len(data) > _SECRET_BYTES:
        raise ConfigError(f"{place}: is longer than {_SECRET_BYTES} bytes, so it holds something other than a secret")
    return text


def _database(environ: Mapping[str, str]) -> str:
    given = environ.get("GUARD_DATABASE")
    if given:
        return given if "://" in given else str(_expanded(given, environ))
    # systemd names several directories with colons between; the first is the service's own.
    directory = (environ.get("STATE_DIRECTORY") or "").partition(":")[0]
    return str((Path(directory) if directory else _state_home(environ) / "quota-guard") / _DATABASE_NAME)


def _state_home(environ: Mapping[str, str]) -> Path:
    """By the XDG base directory specification, which ignores a relative XDG_STATE_HOME."""
    given = Path(environ.get("XDG_STATE_HOME") or ".")
    return given if given.is_absolute() else _home(environ) / ".local" / "state"


def _home(environ: Mapping[str, str]) -> Path:
    try:
        return Path(environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise ConfigError("HOME is not set and this user has none; set GUARD_DATABASE to a path") from None


def _expanded(text: str, environ: Mapping[str, str]) -> Path:
    """A path in which a leading `~/` stands for the home directory, as env files do not expand it."""
    return _home(environ) / text[2:] if text.startswith("~/") else Path(text)


def _log_format(environ: Mapping[str, str]) -> LogFormat:
    match environ.get("GUARD_LOG") or "text":
        case "text":
            return "text"
        case "json":
            return "json"
        case other:
            raise ConfigError(f"GUARD_LOG is {other!r}; it may be text or json")


def _heartbeat_url(environ: Mapping[str, str]) -> str | None:
    text = read_secret("GUARD_HEARTBEAT_URL", environ)
    if text is None:
        return None
    try:
        url = urlsplit(text)
        _ = url.port  # raises for a port that is none
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and " " not in text
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError("GUARD_HEARTBEAT_URL is no URL that begins with https:// or http:// and names a host")
    return text
