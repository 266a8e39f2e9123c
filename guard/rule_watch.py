"""The rule file as it stands on the disk: read again and again, and judged whole once it stays the same."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from guard.config import MOST_READ, Config, Problem, Severity, decode, load
from guard.config.trial import trial
from guard.errors import ConfigError
from guard.settings import read_file

LOOK_EVERY_S: Final = 5.0
APART_S: Final = 1.0  # two readings that must be alike: whoever writes in place is not done yet
_VARIABLE: Final = re.compile(rb"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

ReadSecret = Callable[[str], str | None]
"""Gives the present value of a variable, or of the file it names; may raise ConfigError."""

Refused = tuple[str, ...]
"""Why a rule file cannot be used, a line for each fault; never empty."""


@dataclass(frozen=True, slots=True)
class Content:
    """All that a rule file says at one moment: its bytes, and what the variables that it names stand for."""

    raw: bytes = field(default=b"", repr=False)
    fault: str = ""  # why it cannot be read
    secrets: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    unreadable: Mapping[str, str] = field(default_factory=dict)  # why the value of a variable cannot be read

    @property
    def text(self) -> str:
        """The bytes as text; to be asked for only where `decode` can read them."""
        return self.raw.decode("utf-8-sig")

    def secret(self, name: str) -> str | None:
        """The value that a variable had when it was read; raises ConfigError where it could not be."""
        if name in self.unreadable:
            raise ConfigError(self.unreadable[name])
        return self.secrets.get(name)


@dataclass(frozen=True, slots=True)
class Edition:
    """A rule file that can be used."""

    config: Config
    text: str
    warnings: tuple[str, ...] = ()


def digest_of(text: str) -> str:
    """What a version of a rule file is told by.

    >>> digest_of("")[:12]
    'e3b0c44298fc'
    """
    return sha256(text.encode()).hexdigest()


def read(path: Path, read_secret: ReadSecret) -> Content:
    """Reads the file that the path leads to at this moment, through all symbolic links; never raises for any file."""
    try:
        raw = read_file(path, at_most=MOST_READ)
    except FileNotFoundError:
        return Content(fault=f"there is no rule file {path}")
    except OSError as error:
        return Content(fault=f"{path} cannot be read: {error.strerror}")
    secrets, unreadable = dict[str, str | None](), dict[str, str]()
    for name in sorted({each.decode() for each in _VARIABLE.findall(raw)}):
        try:
            secrets[name] = read_secret(name)
        except ConfigError as error:
            unreadable[name] = str(error)
    return Content(raw, "", secrets, unreadable)


def judged(content: Content, path: Path) -> Edition | Refused:
    """What is to be thought of a rule file; nothing that it says makes this raise, nor a service that takes it over."""
    if content.fault:
        return (content.fault,)
    try:
        return _judged(content, str(path))
    except Exception as fault:  # noqa: BLE001 - a defect of ours must not let a bad file take effect, nor stop a good one
        return (f"{path} cannot be used: {type(fault).__name__} while it was tried out",)


def _judged(content: Content, path: str) -> Edition | Refused:
    text = decode(content.raw, path)
    if isinstance(text, Problem):
        return (str(text),)
    loaded = load(text, path=path, secret=content.secret)
    if loaded.config is None:
        return tuple(str(each) for each in loaded.problems if each.severity is Severity.ERROR)
    if loaded.missing:
        them = "it" if len(loaded.missing) == 1 else "them"
        return (f"{path} needs {' and '.join(loaded.missing)}; set {them} in the environment",)
    trial(loaded.config)
    return Edition(loaded.config, text, tuple(map(str, loaded.problems)))


@dataclass(slots=True)
class RuleWatch:
    """Says when a rule file has become another one; it is read in a thread, since a disk may hang.

    Moments are the monotonic clock's. `known` is what was judged last, whether or not it could be used.
    """

    path: Path
    read_secret: ReadSecret
    known: Content
    _due_s: float = 0.0
    _seen: Content | None = None  # read once, and not yet a second later
    _seen_s: float = 0.0

    def is_due(self, now_s: float) -> bool:
        """Whether to look again."""
        return now_s >= self._due_s

    def hurry(self) -> None:
        """Has it looked at as soon as can be."""
        self._due_s = 0.0

    async def look(self, now_s: float) -> Content | None:
        """Reads the file; gives what it says if that is new and was the same a second ago, again until `settle`."""
        self._due_s = now_s + LOOK_EVERY_S
        content = await asyncio.to_thread(read, self.path, self.read_secret)
        if content == self.known:
            self._seen = None
            return None
        if content != self._seen:
            self._seen, self._seen_s = content, now_s
        if now_s - self._seen_s < APART_S:
            self._due_s = self._seen_s + APART_S
            return None
        return content

    def settle(self, content: Content) -> None:
        """Takes note that this was judged, and has had its effect."""
        self.known, self._seen = content, None
