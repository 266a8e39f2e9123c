"""The rule file as commands need it: found, read, and complained about."""

import os
import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from guard.cli.output import printable
from guard.errors import ConfigError
from guard.logs import add_secret, redact
from guard.model import master_name
from guard.settings import read_secret, unknown_variables
from guard.units import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo

    from guard.config import Config, Loaded, Problem, Secret
    from guard.rule_watch import Content, ReadSecret


def secret(name: str) -> str | None:
    """The value of a variable of the environment, or of the file it names; may raise ConfigError."""
    return read_secret(name, os.environ)


def load_file(path: Path) -> "Loaded":
    """What a rule file holds, with all its problems. From now on nothing that is printed shows its secrets.

    Raises ConfigError when there is no such file, or it cannot be read.
    """
    return _loaded(_content(path), path, secret)


def _loaded(raw: bytes, path: Path, secret: "ReadSecret") -> "Loaded":
    from guard.config import Loaded, decode, load

    text = decode(raw, str(path))
    loaded = load(text, path=str(path), secret=secret) if isinstance(text, str) else Loaded(None, (text,))
    for each in secrets_of(loaded.config) if loaded.config else ():
        add_secret(each.value)
    return loaded


def usable(path: Path) -> "Config":
    """What a rule file without errors says; variables that it names may be missing.

    Raises ConfigError when there is no such file, or when it has errors, which are shown on stderr before.
    """
    return _without_errors(load_file(path), path)


def complete(path: Path, *, warn: "Callable[[str], None]") -> "tuple[Config, Content]":
    """What a rule file without errors says, all its variables being set, and what was read; its warnings go to `warn`.

    Raises ConfigError as `usable` does, and for variables that are not set; their places are shown on stderr before.
    """
    from guard.rule_watch import read

    content = read(path, secret)
    if content.fault:
        raise ConfigError(content.fault) if path.exists() else _absent(path)
    loaded = _loaded(content.raw, path, content.secret)
    config = _without_errors(loaded, path)
    if loaded.missing:
        _show(loaded.problems)
        them = "it" if len(loaded.missing) == 1 else "them"
        raise ConfigError(f"{path} needs {' and '.join(loaded.missing)}; set {them} in the environment")
    for problem in loaded.problems:
        warn(str(problem))
    return config, content


def _without_errors(loaded: "Loaded", path: Path) -> "Config":
    if loaded.config is None:
        _show(loaded.problems)
        raise ConfigError(
            f"{path} cannot be used as it is; mend what is shown above, then look again with `guard check`"
        )
    return loaded.config


def if_readable(path: Path) -> "Config | None":
    """The configuration for commands that can do without; None when there is none, or it cannot be used."""
    try:
        return load_file(path).config
    except ConfigError:
        return None


def rule_names(config: "Config") -> list[str]:
    """The rules of a file, in its order, those that are disabled at the end."""
    return [*config.rule_names, *sorted(config.disabled)]


def contents(config: "Config") -> str:
    """What a rule file holds: `3 rules (1 disabled), 1 account and all its sub-accounts, 2 channels`."""
    disabled = len(config.disabled)
    rules = counted(len(rule_names(config)), "rule") + (f" ({disabled} disabled)" if disabled else "")
    return ", ".join([rules, _accounts_text(config), _channels_text(config)])


def _accounts_text(config: "Config") -> str:
    accounts = counted(len(config.accounts), "account")
    whole = [each.name for each in config.accounts if each.subs and each.subs.ids is None]
    listed = sum(len(each.subs.ids or ()) for each in config.accounts if each.subs)
    if len(whole) == len(config.accounts):
        return f"{accounts} and all {'its' if len(whole) == 1 else 'their'} sub-accounts"
    if not whole:
        return f"{accounts} and {counted(listed, 'sub-account')}" if listed else accounts
    some = f"all sub-accounts of {' and '.join(whole)}"
    return f"{accounts}, {some} and {listed:,} of others" if listed else f"{accounts} and {some}"


def _channels_text(config: "Config") -> str:
    from guard.config import recipients_of

    channels = counted(len(config.channels), "channel")
    people = sum(len(recipients_of(each)) for each in config.channels.values() if recipients_of(each) != ("",))
    return f"{channels} ({counted(people, 'mail recipient')})" if people else channels


def zones(config: "Config | None") -> "Callable[[str], tzinfo]":
    """Gives an account's zone, in which its times are shown: UTC where no rule file says otherwise."""
    known = {account.name: account.tz for account in config.accounts} if config else {}
    return lambda account: known.get(master_name(account), UTC)


def secrets_of(config: "Config") -> "Iterator[Secret]":
    """All secrets that a rule file names; the value of one that is not set is empty."""
    from guard.config import secrets_of as secrets

    for thing in (*config.accounts, *config.channels.values()):
        yield from secrets(thing)


def unknown_settings(config: "Config") -> list[str]:
    """A sentence for each variable GUARD_* that neither guard nor the rule file reads, in alphabetical order."""
    unknown = unknown_variables(os.environ, known=[each.variable for each in secrets_of(config)])
    return [f"{name} is no setting" + (f"; did you mean {near}?" if near else "") for name, near in unknown.items()]


def _show(problems: "Iterable[Problem]") -> None:
    for problem in problems:
        print(printable(redact(problem.render())), file=sys.stderr)


def _content(path: Path) -> bytes:
    from guard.config import MOST_READ

    try:
        with path.open("rb") as file:
            return file.read(MOST_READ)
    except FileNotFoundError:
        raise _absent(path) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _absent(path: Path) -> ConfigError:
    return ConfigError(f"there is no rule file {path}; `guard init` makes one, --rules or GUARD_RULES names another")
