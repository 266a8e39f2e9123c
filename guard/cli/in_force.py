"""The rule file in force: the one that is there or, while that is broken, the last version that took effect."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guard.cli.rule_file import if_readable, secrets_of
from guard.errors import ConfigError
from guard.logs import add_secret
from guard.model import CONFIG_INVALID, State
from guard.settings import read_secret
from guard.units import instant_text, iso

if TYPE_CHECKING:
    from guard.config import Config
    from guard.store import RuleFile, View


@dataclass(frozen=True, slots=True)
class InForce:
    """What is watched and how, as far as a command that only reads can know."""

    path: Path  # of the rule file
    config: "Config | None"  # None where neither the file nor a version of it can be used
    is_broken: bool = False  # whether the file itself cannot be used
    broken_at: datetime | None = None  # since when, where the service has noticed
    version: "RuleFile | None" = None  # the last one that took effect; None where none is stored
    taken: "Config | None" = None  # what that one says; None where it is the file as it stands, or cannot be used

    def source(self, zone: tzinfo) -> str:
        """Where `config` is from, as a sentence names it: the path, or the version of a time."""
        if not self.is_broken or self.version is None or self.config is None:
            return str(self.path)
        return f"{self.path} of {instant_text(self.version.at, zone)}"

    def warning(self, zone: tzinfo) -> str:
        """One line that says what is gone by while the file is broken; empty while it is not."""
        if not self.is_broken:
            return ""
        since = f" since {instant_text(self.broken_at, zone)}" if self.broken_at else ""
        if self.config is None or self.version is None:
            return f"{self.path} cannot be used; `guard check` says why. What follows is what the database knows."
        taken = f"the version of {instant_text(self.version.at, zone)} is in force"
        return f"{self.path} is broken{since}; {taken}. `guard check` says what to mend."

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        is_of_version = self.is_broken and self.config is not None and self.version is not None
        return {
            "broken": self.is_broken,
            "broken_since": iso(self.broken_at),
            "in_force": iso(self.version.at) if self.version and is_of_version else None,
        }


def in_force(view: "View", path: Path) -> InForce:
    """Reads the rule file and, where the service goes by another one, the last version that took effect."""
    config = if_readable(path)
    version = next(iter(view.rule_files(count=1)), None)
    if config is not None:
        is_same = version is None or version.text == _text(path)
        return InForce(path, config, version=version, taken=None if is_same else _taken(version))
    taken = _taken(version)
    return InForce(path, taken, is_broken=True, broken_at=_broken_at(view), version=version, taken=taken)


def _taken(version: "RuleFile | None") -> "Config | None":
    """What a version says; None also for one that was good for an earlier guard only."""
    from guard.config import load

    if version is None:
        return None
    config = load(version.text, path="", secret=_secret).config
    for each in secrets_of(config) if config else ():
        add_secret(each.value)
    return config


def _secret(name: str) -> str | None:
    try:
        return read_secret(name, os.environ)
    except ConfigError:
        return None  # nobody is asked anything with it


def _text(path: Path) -> str:
    """What the file says; nothing, which no version says, where it vanished right now."""
    from guard.rule_watch import read

    return read(path, _secret).raw.decode("utf-8-sig", errors="replace")


def _broken_at(view: "View") -> datetime | None:
    firing = [
        each.incident.started_at.astimezone(UTC)
        for key, each in view.alerts().items()
        if key.rule == CONFIG_INVALID and each.state is not State.OK and each.incident
    ]
    return min(firing, default=None)
