"""One table of a rule file, read key by key; what is wrong is noted at its place, and reading goes on."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from math import isfinite
from typing import Any, Final

from guard.config.document import Document
from guard.config.keys import Keys, home
from guard.config.mask import VARIABLE
from guard.config.places import Path
from guard.config.things import Secret
from guard.errors import ConfigError
from guard.rules.complaint import Severity, hint
from guard.rules.durations import meant
from guard.units import parse_duration

LONGEST: Final = timedelta(days=366)
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_HOW: Final = "write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d"


class Variables:
    """The environment as far as the file asks for it."""

    def __init__(self, secret: Callable[[str], str | None]) -> None:
        """Takes the function that gives a variable's value, None where it is not set."""
        self._secret = secret
        self.missing: list[str] = []  # each once

    def read(self, document: Document, path: Path, name: str) -> str | None:
        """The value of a variable; one that is not set is noted, as a warning."""
        try:
            value = self._secret(name)
        except ConfigError as error:
            document.complain(path, str(error))
            return None
        if value:
            return value
        if name not in self.missing:
            self.missing.append(name)
        text = f"{name} is not set; the rule file is fine without it, but guard run needs it"
        document.complain(path, text, severity=Severity.WARNING)
        return None


class Table:
    """A table and where it stands; each method reads one key and gives None when it is absent or wrong."""

    def __init__(
        self, document: Document, path: Path, values: Mapping[str, Any], *, variables: Variables | None = None
    ) -> None:
        """Takes the table's values; with `variables`, `"${NAME}"` as a whole value stands for the environment's."""
        self.document = document
        self.path = path
        self.values = values
        self._variables = variables

    def __contains__(self, key: str) -> bool:
        """Whether the key is there, right or wrong."""
        return key in self.values

    @property
    def name(self) -> str:
        """The table's own key."""
        return str(self.path[-1])

    def wrong(self, key: str, text: str, *, severity: Severity = Severity.ERROR) -> None:
        """Notes what is wrong with a key's value."""
        self.document.complain((*self.path, key), text, severity=severity)

    def check_keys(self, keys: Keys, *, where: str = "") -> None:
        """Notes every key that is unknown."""
        for key in self.values:
            if key not in keys.built:
                near = hint(keys.meant.get(key, key), keys.built)
                advice = f"; it belongs under {home(key)}" if home(key) else near
                text = f"unknown key {key!r}{where}{advice}"
                self.document.complain((*self.path, key), text, on_key=True)

    def table(self, key: str, *, such_as: str) -> "Table | None":
        """A table below this one."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(key, f"{key} is a table, such as {such_as}, and this is {kind(value)}")
            return None
        return Table(self.document, (*self.path, key), value, variables=self._variables)

    def literal(self, key: str, *, such_as: str) -> str | None:
        """A string as it is written, empty or not."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            self.wrong(key, f"{key} is a text in quotes, such as {such_as}, and this is {kind(value)}")
            return None
        return value

    def string(self, key: str, *, such_as: str) -> str | None:
        """A string, not empty; taken from the environment where it says so."""
        text = self.literal(key, such_as=such_as)
        if text is None:
            return None
        variable = self.variable(key)
        if variable is not None and self._variables is not None:
            return self._variables.read(self.document, (*self.path, key), variable)
        if not text.strip():
            self.wrong(key, f"{key} is empty; write a text such as {such_as}, or leave the key out")
            return None
        return text

    def variable(self, key: str) -> str | None:
        """The name of the variable that the value asks for, None where it asks for none."""
        value = self.values.get(key)
        match = VARIABLE.fullmatch(value) if isinstance(value, str) and self._variables is not None else None
        return match[1] if match else None

    def shown(self, key: str) -> str:
        """How a message may call the value: as it is written, and by its variable's name where it came from there."""
        variable = self.variable(key)
        return f"the value of {variable}" if variable else repr(self.values.get(key))

    def secret(self, key: str, *, example: str, is_password: bool = False) -> Secret | None:
        """A secret by its variable; a literal one is refused. Empty when the variable is not set, which is noted.

        A password may hold whatever can be typed; any other secret only what needs no quoting anywhere.
        """
        if key not in self.values:
            self.document.miss(self.path, f'{key} is missing: write {key} = "${{{example}}}" and set the variable')
            return None
        variable = self.variable(key)
        if variable is None:
            self.wrong(
                key, f'a secret is never written down: write {key} = "${{{example}}}" and set the variable {example}'
            )
            return None
        value = self.string(key, such_as=f'"${{{example}}}"') or ""
        if not value.isprintable():
            self.wrong(key, f"the value of {variable} holds line breaks, or other characters that cannot be typed")
            return None
        if not is_password and any(not "!" <= char <= "~" for char in value):
            self.wrong(key, f"the value of {variable} holds spaces, or characters that no {key} has")
            return None
        return Secret(variable, value)

    def duration(self, key: str, *, least: timedelta = timedelta(), tail: str = "") -> timedelta | None:
        """A duration of at most 366 days; `tail` ends the sentence about what else may stand there."""
        value = self.values.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.wrong(key, f'{key} is a duration in quotes, such as "15m", and this is {kind(value)}')
            return None
        text = self.string(key, such_as='"15m"')
        if text is None:
            return None
        try:
            duration = parse_duration(text)
        except ValueError:
            is_long = re.fullmatch(r"[0-9]{10,}[smhd]", text)
            fault = (
                f"is at most {LONGEST.days}d" if is_long else f"{self.shown(key)} is not a duration; {_how(text)}{tail}"
            )
            self.wrong(key, f"{key} {fault}" if is_long else f"{key}: {fault}")
            return None
        if duration < least:
            self.wrong(key, f"{key} is at least {least.total_seconds():.0f}s")
            return None
        if duration > LONGEST:
            self.wrong(key, f"{key} is at most {LONGEST.days}d")
            return None
        return duration

    def boolean(self, key: str) -> bool | None:
        """True or false."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            self.wrong(key, f"{key} is true or false, without quotes")
            return None
        return value

    def whole_number(self, key: str, *, most: int, least: int = 0) -> int | None:
        """A whole number from `least` to `most`; taken from the environment where it says so."""
        value, variable = self.values.get(key), self.variable(key)
        if variable:
            text = self.string(key, such_as="")
            value = int(text) if text and _DIGITS.fullmatch(text) else text
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            what = f"a whole number from {least} to {most:,}"
            plain = f"{key} is {what}" + ", without quotes" * isinstance(value, str)
            self.wrong(key, f"{key}: the value of {variable} is not {what}" if variable else plain)
            return None
        return value

    def amount(self, key: str) -> float | None:
        """A number from 0, finite."""
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, f"{key} is a number without quotes, such as 1_000, and this is {kind(value)}")
            return None
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if not isfinite(number):
            self.wrong(key, f"{key} is a finite number")
            return None
        if number < 0:
            self.wrong(key, f"{key} is below zero")
            return None
        return number


def _how(text: str) -> str:
    """How to write what a text seems to mean as a duration."""
    duration = meant(text)
    return f'write "{duration}"' if duration else _HOW


def kind(value: object) -> str:
    """What a TOML value is, for people."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"
