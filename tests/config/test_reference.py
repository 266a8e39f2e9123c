"""The reference page says what there is."""

import re
from pathlib import Path

import pytest

from guard.config import load
from guard.config.keys import (
    ACCOUNT,
    APPRISE,
    DEFAULTS,
    EMAIL,
    QUIET,
    REPORT,
    RULE,
    SLACK,
    SUB,
    TERMINAL,
    WEBHOOK,
)
from guard.fields import Kind
from guard.rules.complaint import Severity
from guard.rules.template import FORMATS
from tests.config.reference import fields_table, functions_table

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
PROSE = re.sub(r"(?ms)^```.*?^```$", "", PAGE)
EXAMPLES = [code for code in re.findall(r"(?ms)^```toml\n(.*?)^```$", PAGE) if code.startswith("[rules.")]
WORDS = set(re.findall(r"`\.?([^`]+)`", PROSE))

BEFORE = """
[accounts.main]
api_key = "${KEY}"
[channels.ops]
kind = "terminal"
[defaults]
notify = ["ops"]
"""


def test_every_key_is_explained() -> None:
    for keys in (ACCOUNT, SUB, DEFAULTS, RULE, SLACK, EMAIL, WEBHOOK, APPRISE, TERMINAL, QUIET, REPORT):
        assert keys.built <= WORDS


def test_every_function_and_every_field_stands_there_as_the_code_says_it() -> None:
    assert functions_table() in PAGE
    assert fields_table() in PAGE


def test_every_kind_of_field_and_every_format_is_explained() -> None:
    for kind in Kind:
        assert f"\n| {kind.value} | " in PAGE
    for style in FORMATS:
        assert f"\n| `{style}` | " in PAGE


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_rule_on_the_page_is_without_mistakes(number: int) -> None:
    loaded = load(f"{BEFORE}\n{EXAMPLES[number]}", path="rules.toml", secret={"KEY": "k"}.get)
    assert [str(problem) for problem in loaded.problems if problem.severity is Severity.ERROR] == []
    assert loaded.config is not None
