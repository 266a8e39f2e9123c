"""The commands by name, and how each ends: exit codes, and one clear line for what went wrong."""

import errno
import io
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer

from guard import __version__
from guard.cli.output import complain, printable
from guard.errors import ExitCode, GuardError
from guard.logs import redact

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})  # what a write to stdout may meet


class Listed(NamedTuple):
    """A command as the help lists it, which needs nothing of its module."""

    place: str  # its module and its function
    about: str  # the first line of its docstring
    panel: str
    example: str

    @property
    def command(self) -> Callable[..., Any]:
        """The function itself, imported: its docstring is its help; it gives an exit code, or None for 0."""
        module, _, name = self.place.partition(".")
        function: Callable[..., Any] = getattr(import_module(f"guard.cli.{module}"), name)
        return function


_HEAR_LESS: Final = "Hear less"

COMMANDS: Final = {
    "init": Listed("rules.init", "Write a rule file to begin with.", "Set up", "guard init"),
    "check": Listed("rules.check", "Look for mistakes in a rule file.", "Set up", "guard check rules.toml"),
    "schema": Listed(
        "schema.schema",
        "Print the JSON Schema of the rule file, for editors.",
        "Set up",
        "guard schema > rules.schema.json",
    ),
    "test": Listed(
        "rule_test.rule_test", "Play stories through a rule file, and compare.", "Set up", "guard test rules.test.toml"
    ),
    "backtest": Listed(
        "backtest.backtest",
        "Show what a rule file would have told of the past.",
        "Set up",
        "guard backtest --rules new.toml --since 7d",
    ),
    "send-test": Listed("send_test.send_test", "Send a test message to a channel.", "Set up", "guard send-test ops"),
    "run": Listed(
        "watch.run",
        "Watch the accounts and tell the channels, until stopped.",
        "Watch",
        "guard run --rules /etc/quota-guard/rules.toml",
    ),
    "once": Listed(
        "watch.once",
        "Do one pass, for cron; the exit code says how things stand.",
        "Watch",
        "*/5 * * * * guard once --rules /etc/quota-guard/rules.toml",
    ),
    "status": Listed("status.status", "Show how things stand, from the database.", "Look", "guard status"),
    "alerts": Listed(
        "alerts.alerts", "Show the alerts that are not at rest, the worst first.", "Look", "guard alerts --format json"
    ),
    "history": Listed(
        "history.history",
        "Show what happened, newest last.",
        "Look",
        "guard history --since 7d --alert main/numbers-remaining",
    ),
    "report": Listed(
        "report.report", "Show the last report, or the one that is due next.", "Look", "guard report --now"
    ),
    "explain": Listed(
        "explain.explain",
        "Explain an alert: why it was told, or why not.",
        "Look",
        "guard explain main/numbers-remaining",
    ),
    "ack": Listed(
        "ack.ack",
        "Acknowledge what fires: nobody is reminded of it.",
        _HEAR_LESS,
        "guard ack main/numbers-remaining --for 4h --reason 'more are ordered'",
    ),
    "silence add": Listed(
        "silence.add",
        "Silence alerts for a while.",
        _HEAR_LESS,
        "guard silence add 'main/*' --for 2h --reason 'an upgrade'",
    ),
    "silence list": Listed(
        "silence.list_silences",
        "List the silences that are in force, and those to come.",
        _HEAR_LESS,
        "guard silence list --format json",
    ),
    "silence end": Listed("silence.end", "End a silence before its time.", _HEAR_LESS, "guard silence end 3"),
    "demo": Listed("play.demo", "Show alerts fire, escalate and resolve, in about a minute.", "Try out", "guard demo"),
    "sandbox": Listed(
        "play.sandbox",
        "Run a pretend AgentPhone, to try rules against.",
        "Try out",
        "guard sandbox --scenario numbers --speed 10",
    ),
}

GROUPS: Final = {"silence": "Silence alerts for a while, and see what is silenced."}
"""Words that stand before others, and what the help says of them."""


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"quota-guard {__version__}")
        raise typer.Exit


def _guard(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Tells people, once and in time, that their AgentPhone account is about to run out of something.

    Begin with `guard demo`, which needs nothing, then `guard init`.
    """


def _app(words: Sequence[str]) -> typer.Typer:
    """The commands, of which only those that the words name are imported."""
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_guard)
    groups = {name: typer.Typer(rich_markup_mode="rich") for name in GROUPS}
    for name, group in groups.items():
        app.add_typer(group, name=name, help=GROUPS[name], rich_help_panel=_HEAR_LESS)
    for name, listed in COMMANDS.items():
        *of, last = name.split()
        command = listed.command if {*of, last} <= {*words} else _uncalled(listed.about)
        place, panel = (groups[of[0]], None) if of else (app, listed.panel)
        place.command(last, rich_help_panel=panel, epilog=f"[dim]Example[/dim]\n  {listed.example}")(command)
    return app


def _uncalled(about: str) -> Callable[[], None]:
    """What stands for a command that is only listed."""

    def command() -> None: ...

    command.__doc__ = about
    return command


def run(argv: Sequence[str]) -> int:
    """Runs the command that the words ask for, and gives its exit code; what goes wrong is said on stderr."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode shows ? instead of ending the command
    return _flushed(_run(argv or ["--help"]))


def _run(argv: Sequence[str]) -> int:
    try:
        return int(_app(argv)(args=list(argv), prog_name="guard", standalone_mode=False) or ExitCode.DONE)
    except GuardError as error:
        complain(str(error))
        return error.exit_code
    except typer.TyperException as error:  # what the command line's words cannot mean
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "guard"
        why = _plain(error.format_message())
        complain(f"{why}\nTry `{command} --help`.")
        return ExitCode.USAGE
    except SystemExit:  # Typer's answer to a broken pipe
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - whatever it is, no secret may be shown with it
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            return _untold(error)
        return _unplanned(error)


def _unplanned(error: Exception) -> ExitCode:
    trace = "".join(traceback.format_exception(error))
    complain(f"this should not have happened ({type(error).__name__}); please report it with what follows")
    print(printable(redact(trace)), file=sys.stderr, end="")
    return ExitCode.UNPLANNED


def _open_closed_streams() -> None:
    """Opens /dev/null for a standard stream that is closed: its number would else go to the next file, a database."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:  # Python found the number closed; all lower ones are open by now, so it is given
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "w" if number else "r", encoding="utf-8"))


def _plain(text: str) -> str:
    """A message about a word of the command line without pydantic's turns of phrase."""
    text = re.sub(r"Value error, |, unable to parse .*", "", text)
    return text.replace("Input should be", "it should be")


def _flushed(code: int) -> int:
    """Writes what is still buffered; gives the exit code. That nobody reads it, as behind `head`, is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
    except OSError as error:
        return _untold(error)
    return code


def _untold(error: OSError) -> ExitCode:
    _discard_stdout()
    complain(f"what there is to show cannot be written: {error.strerror}")
    return ExitCode.STORAGE


def _discard_stdout() -> None:
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
