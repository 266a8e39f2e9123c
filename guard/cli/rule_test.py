"""`guard test`: stories in files, and what the rules make of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from guard.cli.options import FormatOption
from guard.cli.output import Format, print_json, print_table, say
from guard.cli.rule_file import usable
from guard.errors import ConfigError, ExitCode
from guard.units import counted, duration_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guard.cli.timeline import Moment, Outcome

_COLUMNS: Final = ("", "AT", "ALERT", "EXPECTED", "SEEN", "LINE")


def rule_test(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of rule tests.", readable=False)],
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> ExitCode:
    """Play stories through a rule file, and compare.

    A test names a rule file, tells what the API answers, poll by poll, and
    says what should come of it: what fires, escalates and resolves, when, and
    who is told. Nothing is asked and nothing is sent. Exits with 1 if a test
    fails.
    """
    played = [(path, _played(path)) for path in files]
    outcomes = [outcome for _, each in played for outcome in each]
    passed = sum(outcome.passed for outcome in outcomes)
    if format is Format.JSON:
        documents = [_document(outcome, path) for path, each in played for outcome in each]
        print_json({"tests": documents, "passed": passed, "failed": len(outcomes) - passed})
    else:
        for path, each in played:
            _print(each, path)
        say(f"{counted(len(outcomes), 'test')}, {passed:,} passed")
    return ExitCode.DONE if passed == len(outcomes) else ExitCode.TEST_FAILED


def _played(path: Path) -> "list[Outcome]":
    from guard.cli.rule_test_file import read_rule_tests
    from guard.cli.scripted import at_pace, scripted
    from guard.cli.timeline import judged
    from guard.replay import Replay

    tests = read_rule_tests(_text(path), place=str(path), rules_of=usable)
    replays = [Replay(at_pace(each.account, each.scenario)) for each in tests]
    return [
        judged(each, scripted(replay, each.scenario, cycles=each.cycles))
        for each, replay in zip(tests, replays, strict=True)
    ]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: this is no file of rule tests; it is not UTF-8 text") from None
    except IsADirectoryError:
        raise ConfigError(
            f"{path} is a directory; name the files in it, as in `guard test {path}/*.test.toml`"
        ) from None
    except FileNotFoundError:
        what = "no file fits" if "*" in str(path) else "there is no file"
        raise ConfigError(f"{what} {path}; name files of rule tests, such as rules.test.toml") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _print(outcomes: "Sequence[Outcome]", path: Path) -> None:
    """Each test with its verdict, and the timeline of one that failed."""
    for outcome in outcomes:
        test = outcome.test
        say(f"{path}:{test.line}: {test.name}: {'passed' if outcome.passed else 'FAILED'}")
        if not outcome.passed:
            print_table(_COLUMNS, [_row(each) for each in outcome.moments], broken=("EXPECTED", "SEEN"))
            say("")


def _row(moment: "Moment") -> tuple[str, ...]:
    return (
        "ok" if moment.good else f"!! {moment.miss}",
        "always" if moment.at is None else duration_text(moment.at),
        "/".join(filter(None, (moment.key.rule, moment.key.subject))),
        moment.expected or "-",
        moment.seen,
        str(moment.line or "") if moment.expected else "",
    )


def _document(outcome: "Outcome", path: Path) -> dict[str, Any]:
    return {
        "file": str(path),
        "line": outcome.test.line,
        "name": outcome.test.name,
        "passed": outcome.passed,
        "moments": [moment.as_dict() for moment in outcome.moments],
    }
