"""The versions of the rule file that took effect, as `guard history --rules` shows them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from guard.cli.output import print_json, say, warn
from guard.units import exact_instant_text, iso

if TYPE_CHECKING:
    from guard.store import Reader, RuleFile

_DIGEST: Final = 12  # letters of it that are shown; enough to tell versions apart
_NOTHING: Final = "nothing that matters: comments, spaces, or the order of things"


def show_versions(reader: "Reader", *, limit: int, as_json: bool) -> None:
    """Shows the last versions, newest first, each with what it changed."""
    found = reader.rule_files(count=limit + 1)
    shown, is_cut = found[:limit], len(found) > limit
    if as_json:
        print_json({"cut": is_cut, "versions": [_document(each) for each in shown]})
        return
    if is_cut:
        warn(f"there is more than --limit {limit} shows; a higher one shows it")
    _print(shown)


def _print(versions: Sequence["RuleFile"]) -> None:
    if not versions:
        say("No rule file took effect yet; `guard run` notes each version that does.")
    for version in versions:
        say(f"{exact_instant_text(version.at)}  {version.digest[:_DIGEST]}")
        for change in version.changes or (_NOTHING,):
            say(f"  {change}")


def _document(version: "RuleFile") -> dict[str, Any]:
    return {
        "at": iso(version.at),
        "digest": version.digest,
        "changes": list(version.changes),
        "text": version.text,
    }
