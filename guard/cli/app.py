"""The commands by name, and how each ends: exit codes, and one clear line for what went wrong."""

import errno
import io
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Final, NamedTuple

import typer

from guard import __version__
from guard.cli import alerts, history, play, rules, send_test, status, watch
from guard.cli.output import complain, printable
from guard.errors import ExitCode, GuardError
from guard.logs import redact

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})  # what a write to stdout may meet


class _Listed(NamedTuple):
    """A command as the help lists it."""

    command: Callable[..., Any]  # its docstring is its help; it gives an exit code, or None for 0
    panel: str
    example: str


COMMANDS: Final = {
    "init": _Listed(rules.init, "Set up", "guard init"),
    "check": _Listed(rules.check, "Set up", "guard check rules.toml"),
    "send-test": _Listed(send_test.send_test, "Set up", "guard send-test ops"),
    "run": _Listed(watch.run, "Watch", "guard run --rules /etc/quota-guard/rules.toml"),
    "once": _Listed(watch.once, "Watch", "*/5 * * * * guard once --rules /etc/quota-guard/rules.toml"),
    "status": _Listed(status.status, "Look", "guard status"),
    "alerts": _Listed(alerts.alerts, "Look", "guard alerts --format json"),
    "history": _Listed(history.history, "Look", "guard history --since 7d --alert main/numbers-remaining"),
    "demo": _Listed(play.demo, "Try out", "guard demo"),
    "sandbox": _Listed(play.sandbox, "Try out", "guard sandbox --scenario numbers --speed 10"),
}


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


def _app() -> typer.Typer:
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_guard)
    for name, (command, panel, example) in COMMANDS.items():
        app.command(name, rich_help_panel=panel, epilog=f"[dim]Example[/dim]\n  {example}")(command)
    return app


def run(argv: Sequence[str]) -> int:
    """Runs the command that the words ask for, and gives its exit code; what goes wrong is said on stderr."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode shows ? instead of ending the command
    return _flushed(_run(argv or ["--help"]))


def _run(argv: Sequence[str]) -> int:
    try:
        return int(_app()(args=list(argv), prog_name="guard", standalone_mode=False) or ExitCode.DONE)
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
