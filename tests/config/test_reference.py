"""The reference page says what there is."""

import re
from pathlib import Path

from guard.config.keys import ACCOUNT, DEFAULTS, EMAIL, KINDS, RULE, SLACK, SUB, TERMINAL
from guard.fields import FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
PROSE = re.sub(r"(?ms)^```.*?^```$", "", PAGE)
WORDS = set(re.findall(r"`\.?([^`]+)`", PROSE))


def test_every_key_is_explained() -> None:
    for keys in (ACCOUNT, SUB, DEFAULTS, RULE, SLACK, EMAIL, TERMINAL):
        assert keys.built <= WORDS


def test_no_key_is_explained_before_it_is_built() -> None:
    for keys in (ACCOUNT, DEFAULTS, RULE, SLACK, KINDS):
        assert not keys.later & WORDS


def test_every_field_is_explained() -> None:
    endings = {name.rpartition(".")[2] for name in WORDS} | {word.removeprefix("…") for word in WORDS}
    for name in FIELDS:
        last = name.rpartition(".")[2]
        assert last in endings or any(last.endswith(ending) for ending in endings if ending.startswith("Last"))
