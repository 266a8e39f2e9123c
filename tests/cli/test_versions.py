"""`guard history --rules`: the versions of the rule file that took effect."""

import json

from inline_snapshot import snapshot

from guard.errors import ExitCode
from guard.store import RuleFile, Unit
from tests.builders import at
from tests.cli.conftest import Fill, Run


def versions(unit: Unit) -> None:
    """Three versions, the newest of which changed nothing that matters."""
    edits = [("the first version",), ("rule calls added", "channel ops changed"), ()]
    for number, changes in enumerate(edits):
        unit.add_rule_file(RuleFile(at(number), f"{number}" * 64, f"text {number}", changes))


def test_versions_are_shown_newest_first_with_their_changes(guard: Run, fill: Fill) -> None:
    fill(versions)
    assert guard("history", "--rules").out == snapshot("""\
2026-11-23 14:07:00 UTC  222222222222
  nothing that matters: comments, spaces, or the order of things
2026-11-23 14:06:00 UTC  111111111111
  rule calls added
  channel ops changed
2026-11-23 14:05:00 UTC  000000000000
  the first version
""")


def test_no_more_versions_are_shown_than_asked_for(guard: Run, fill: Fill) -> None:
    fill(versions)
    done = guard("history", "--rules", "--limit", "1")
    assert len(done.out.splitlines()) == 2
    assert "there is more than --limit 1 shows" in done.err


def test_machines_get_the_text_too(guard: Run, fill: Fill) -> None:
    fill(versions)
    document = json.loads(guard("history", "--rules", "--limit", "2", "--format", "json").out)
    assert document["cut"] is True
    assert document["versions"][1] == {
        "at": "2026-11-23T14:06:00Z",
        "digest": "1" * 64,
        "changes": ["rule calls added", "channel ops changed"],
        "text": "text 1",
    }


def test_where_no_version_took_effect_yet_that_is_said(guard: Run, fill: Fill) -> None:
    fill(lambda _: None)
    assert guard("history", "--rules").out == snapshot(
        "No rule file took effect yet; `guard run` notes each version that does.\n"
    )


def test_versions_are_of_the_whole_file(guard: Run, fill: Fill) -> None:
    fill(versions)
    done = guard("history", "--rules", "--account", "main")
    assert done.code == ExitCode.USAGE
    assert "--rules shows versions of the whole file" in done.err
