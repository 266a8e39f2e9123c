"""The environment, read once: where things are, how the log reads, where to listen, and secrets by name."""

import errno
import os
import pwd
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from guard.errors import ConfigError
from guard.logs import LogFormat

_DATABASE_NAME: Final = "guard.db"
_SECRET_BYTES: Final = 65_536  # a longer file is no secret, but perhaps /dev/zero
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NO_TEXT: Final = re.compile(r"[\ud800-\udfff]")  # how Python shows bytes of the environment that are not UTF-8
_LISTEN: Final = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[^:\[\]]+)):(?P<port>[0-9]{1,5})")
_PORTS: Final = 65_536
_CONSOLE_URL: Final = re.compile(r"[!$%&'()*+,\-./0-9:;=@A-Z\[\]_a-z~]+")  # what a URL may hold but for ? and #
_KNOWN: Final = (
    "GUARD_CONSOLE_TOKEN",
    "GUARD_CONSOLE_TOKEN_FILE",
    "GUARD_CONSOLE_URL",
    "GUARD_DATABASE",
    "GUARD_HEARTBEAT_URL",
    "GUARD_HEARTBEAT_URL_FILE",
    "GUARD_LISTEN",
    "GUARD_LOG",
    "GUARD_RULES",
)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the console listens, and what it asks of who comes; beyond loopback there is always a token."""

    host: str = "127.0.0.1"  # an IP address
    port: int = 8080  # 0: one that is free
    token: str | None = field(default=None, repr=False)
    known_as: str = ""  # the host of GUARD_CONSOLE_URL, which a proxy on this machine may pass on

    @property
    def is_loopback(self) -> bool:
        """Whether only this very machine can come."""
        return ip_address(self.host).is_loopback

    def __str__(self) -> str:
        """The address as a URL writes it.

        >>> str(Listen("::1", 80))
        '[::1]:80'
        """
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; an empty variable counts as not set."""

    rules: Path = Path("rules.toml")
    database: str = field(default=_DATABASE_NAME, repr=False)  # a path, or a URL (which may hold a password)
    log_format: LogFormat = "text"
    heartbeat_url: str | None = field(default=None, repr=False)  # whoever knows it can send heartbeats
    listen: Listen | None = Listen()  # None: there is no console
    console_url: str = ""  # where people find the console, without a slash at its end; empty: nobody said

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
            listen=_listen(environ),
            console_url=_console_url(environ),
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
    if value and _NO_TEXT.search(value):
        raise ConfigError(f"{place}: is not UTF-8 text")
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
        data = read_file(Path(path), at_most=_SECRET_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read: {error.strerror}") from error
    except ValueError:
        raise ConfigError(f"{place}: is not UTF-8 text") from None
    if len(data) > _SECRET_BYTES:
        raise ConfigError(f"{place}: is longer than {_SECRET_BYTES} bytes, so it holds something other than a secret")
    return text


def read_file(path: Path, *, at_most: int) -> bytes:
    """The first bytes of a regular file, perhaps behind symbolic links; raises OSError for anything else.

    A pipe or a device is not read, since nobody knows when it ends.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, f"it is {'a pipe' if stat.S_ISFIFO(mode) else 'a device'}, not a regular file")
        return file.read(at_most)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe without a writer would be waited for, for ever


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
    if text is not None and _web_address(text) is None:
        raise ConfigError("GUARD_HEARTBEAT_URL is no URL that begins with https:// or http:// and names a host")
    return text


def _web_address(text: str) -> SplitResult | None:
    """The parts of a URL of the web; None for anything else."""
    try:
        url = urlsplit(text)
        _ = url.port  # raises for a port that is none
    except ValueError:
        return None
    return url if url.scheme in {"http", "https"} and url.hostname and " " not in text else None


def _console_url(environ: Mapping[str, str]) -> str:
    text = environ.get("GUARD_CONSOLE_URL") or ""
    if text and not _is_console_url(text):
        raise ConfigError(
            "GUARD_CONSOLE_URL is no URL under which people find the console, as in https://guard.example.com or "
            "https://example.com/guard: http or https, a host, perhaps a port and a path, and nothing else"
        )
    return text.rstrip("/")


def _is_console_url(text: str) -> bool:
    url = _web_address(text)
    # The URL goes into messages, where a password would be read, and more would stand before the path of an alert.
    return url is not None and bool(_CONSOLE_URL.fullmatch(text)) and "@" not in url.netloc


def _host(url: str) -> str:
    """The host of a URL as the Host header writes it; empty where there is none."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name


def _listen(environ: Mapping[str, str]) -> Listen | None:
    text = environ.get("GUARD_LISTEN") or str(Listen())
    token = read_secret("GUARD_CONSOLE_TOKEN", environ)
    if text == "off":
        return None
    listen = _parsed_listen(text, token=token, known_as=_host(_console_url(environ)))
    if token is None and not listen.is_loopback:
        raise ConfigError(
            f"GUARD_LISTEN is {text!r}, which others than this machine can reach, so it needs a token: "
            "set GUARD_CONSOLE_TOKEN (or GUARD_CONSOLE_TOKEN_FILE), or listen on 127.0.0.1"
        )
    return listen


def _parsed_listen(text: str, *, token: str | None, known_as: str) -> Listen:
    """Reads `HOST:PORT`; a host is an address, so that nothing is looked up, and what it reaches is certain."""
    match = _LISTEN.fullmatch(text)
    host = _address(match["v6"] or match["v4"]) if match else None
    if match is None or host is None or int(match["port"]) >= _PORTS:
        raise ConfigError(
            f"GUARD_LISTEN is {text!r}; write an IP address and a port, as in 127.0.0.1:8080 or [::1]:8080, or off"
        )
    return Listen(host, int(match["port"]), token, known_as)


def _address(host: str) -> str | None:
    try:
        return str(ip_address("127.0.0.1" if host == "localhost" else host))
    except ValueError:
        return None
