"""The JSON Schema refuses nothing that is right, and what it can tell of what is wrong."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]  # its stubs are a package of their own

from guard.config.keys import (
    ACCOUNT,
    APPRISE,
    DEFAULTS,
    EMAIL,
    QUIET,
    REMIND,
    RULE,
    SLACK,
    SUB,
    TERMINAL,
    TOP,
    WEBHOOK,
    Keys,
)
from guard.config.schema import schema
from guard.model import Level
from tests.config.files import ACCOUNT as MAIN
from tests.config.files import APPRISE as ANY
from tests.config.files import BOT, CHANNEL, HOOK, MAIL, SUBS, read
from tests.config.files import RULE as LOW

ROOT: Final = Path(__file__).parents[2]
BAD: Final = sorted((Path(__file__).parent / "bad").glob("*.toml"))
SCHEMA: Final = schema()
VALIDATOR: Final = Draft7Validator(SCHEMA)
FRAME: Final = tomllib.loads(MAIN + CHANNEL + LOW)


def refused(text: str) -> bool:
    return not VALIDATOR.is_valid(tomllib.loads(text))


def fragments(found: object) -> list[dict[str, Any]]:
    """Every table of keys in a schema."""
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    below = [each for part in inner for each in fragments(part)]
    return [found, *below] if isinstance(found, dict) and "properties" in found else below


def test_the_schema_is_one_that_editors_understand() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("account", ACCOUNT),
        ("sub", SUB),
        ("slack", SLACK),
        ("email", EMAIL),
        ("webhook", WEBHOOK),
        ("apprise", APPRISE),
        ("terminal", TERMINAL),
        ("defaults", DEFAULTS),
        ("remind", REMIND),
        ("rule", RULE),
        ("quiet", QUIET),
    ],
)
def test_every_key_that_is_read_is_in_the_schema_and_no_other(table: str, keys: Keys) -> None:
    assert SCHEMA["definitions"][table]["properties"].keys() == keys.built
    assert SCHEMA["properties"].keys() == TOP.built


def test_every_key_is_explained() -> None:
    levels = {level.word for level in Level}
    unexplained = {
        key
        for table in fragments(SCHEMA)
        for key, fragment in table["properties"].items()
        if "description" not in fragment and table["properties"].keys() - {"max"} != levels
    }
    assert unexplained == set()


# --- what is right --------------------------------------------------------------------------------------------------


def complete(block: str) -> dict[str, Any]:
    """A block of a page, within a file that has whatever the block leaves out."""
    return FRAME | tomllib.loads(block)


PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS: Final = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"(?s)```toml\n(.*?)```", page.read_text(encoding="utf-8")))
    if re.search(r"(?m)^\[(rules|channels|accounts|budgets|defaults)\b", block)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_docs_show_is_right(block: str) -> None:
    assert [each.message for each in VALIDATOR.iter_errors(complete(block))] == []


def test_the_example_is_right() -> None:
    text = (ROOT / "rules.example.toml").read_text(encoding="utf-8")
    assert text.startswith("#:schema ./rules.schema.json\n")
    assert [each.message for each in VALIDATOR.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_what_guard_check_allows_is_allowed(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if read(text).config is not None:
        assert not refused(text)


ALL_KEYS: Final = """
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"
every = "${AGENTPHONE_API_KEY}"
base_url = "http://127.0.0.1:8080"
tz = "Europe/Berlin"
notify = ["ops"]
budgets = { calls = 5 }
stale_after = "1h"
no_data_after = "5m"
sub_accounts = ["acme"]
[accounts.main.sub.acme]
budgets = { calls = 3.5 }
[rules.numbers-remaining]
value = "numbers.remaining"
info = "< 9"
warning = " <= 3"
critical = "== 0"
clear = ">9"
when = "plan.name != 'free'"
for = "10m"
keep_firing_for = "1h"
unit = "numbers"
summary = "{numbers.remaining} left"
description = "Buy some."
runbook = "http://wiki.example.com/numbers"
notify = { critical = ["ops"], warning = [] }
remind = { critical = "4h", info = "off", max = 0 }
each = "number"
labels = { team = "support" }
accounts = ["main", "main:*"]
renamed_from = "numbers"
enabled = false
"""


@pytest.mark.parametrize(
    "text",
    [ALL_KEYS + CHANNEL, SUBS + CHANNEL + BOT, MAIN + MAIL, MAIN + HOOK + ANY],
    ids=["all", "bot", "mail", "more"],
)
def test_all_keys_are_allowed(text: str) -> None:
    assert [each.message for each in VALIDATOR.iter_errors(tomllib.loads(text))] == []


# --- what is wrong --------------------------------------------------------------------------------------------------


def told() -> set[str]:
    """The bad files that are TOML, and that the schema refuses."""
    found = set()
    for file in BAD:
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError:
            continue
        if not VALIDATOR.is_valid(values):
            found.add(file.stem)
    return found


KNOWN: Final = (
    "a-list-of-rules",
    "accounts-of-a-rule-in-a-text",
    "accounts-of-a-rule-with-a-slash",
    "an-empty-table-of-accounts",
    "api-key-missing",
    "apprise-literal-address",
    "apprise-without-an-address",
    "base-url-without-tls",
    "budget-in-quotes",
    "budget-name-with-capitals",
    "channel-of-unknown-kind",
    "channel-without-a-kind",
    "each-in-the-plural",
    "enabled-in-quotes",
    "every-is-a-number",
    "every-is-no-duration",
    "every-too-short",
    "fallback-is-a-text",
    "for-is-negative",
    "half-a-variable",
    "key-of-a-channel-in-a-rule",
    "kind-misspelled",
    "kind-of-a-service-that-apprise-speaks-to",
    "key-of-an-account-in-a-rule",
    "label-is-a-number",
    "label-name-with-a-space",
    "labels-in-a-list",
    "labels-too-many",
    "level-is-a-number",
    "level-with-capitals",
    "level-with-its-signs-swapped",
    "level-without-an-operator",
    "literal-api-key",
    "literal-webhook-url",
    "mail-key-by-another-name",
    "mail-literal-password",
    "mail-password-without-a-username",
    "mail-port-in-quotes",
    "mail-recipient-without-an-at",
    "mail-recipients-in-a-text",
    "mail-security-unknown",
    "mail-without-a-host",
    "mention-at-an-unknown-level",
    "mention-that-pings-nobody",
    "negative-budget",
    "no-account",
    "no-channel",
    "no-level",
    "notify-by-an-unknown-level",
    "notify-is-a-text",
    "remind-half-a-time",
    "remind-is-false",
    "remind-without-pause",
    "rule-name-of-a-built-in-rule",
    "runbook-is-no-address",
    "slack-channel-without-a-token",
    "slack-token-and-webhook",
    "slack-token-literal",
    "slack-without-webhook-or-token",
    "sub-account-id-with-a-colon",
    "sub-account-listed-twice",
    "sub-account-with-a-misspelled-key",
    "sub-accounts-all-in-a-list",
    "sub-accounts-names-none",
    "summary-is-empty",
    "unknown-key-in-a-rule",
    "unknown-key-in-an-account",
    "unknown-key-in-remind",
    "unknown-table",
    "value-is-a-number",
    "value-missing",
    "webhook-address-is-a-number",
    "webhook-address-without-tls",
    "webhook-key-of-slack",
    "webhook-literal-secret",
    "webhook-without-a-secret",
    "webhook-without-an-address",
)


@pytest.mark.parametrize("name", KNOWN)
def test_a_mistake_that_a_schema_can_tell_is_refused(name: str) -> None:
    (file,) = (each for each in BAD if each.stem == name)
    assert refused(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "code"), [(ROOT / "rules.example.toml", 0), (BAD[0].with_stem(KNOWN[-1]), 1)])
def test_the_tool_that_people_check_files_with_says_the_same(tmp_path: Path, file: Path, code: int) -> None:
    schema_file = tmp_path / "rules.schema.json"
    schema_file.write_text(json.dumps(SCHEMA), encoding="utf-8")
    command: list[str | Path] = [Path(sys.executable).with_name("check-jsonschema"), "--schemafile", schema_file, file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
