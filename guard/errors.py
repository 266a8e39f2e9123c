"""Deliberate errors, each with the exit code that it ends a command with."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ends; 64 to 78 follow BSD's sysexits.h, 1 to 3 belong to `guard once`, 1 to `guard test` too."""

    DONE = 0
    FIRING = 1
    TEST_FAILED = 1  # the same number: what people's other test runners end with
    CRITICAL = 2
    NO_DATA = 3
    USAGE = 64
    UNPLANNED = 70
    STORAGE = 74
    ALREADY_RUNNING = 75
    CONFIG = 78


class GuardError(Exception):
    """Something a person can mend; its text says what is wrong and what to do next, and holds no secret."""

    exit_code: ExitCode = ExitCode.UNPLANNED


class UsageError(GuardError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class ConfigError(GuardError):
    """The rule file or the environment is wrong."""

    exit_code = ExitCode.CONFIG


class StorageError(GuardError):
    """The database is missing, damaged, full, read-only or locked."""

    exit_code = ExitCode.STORAGE


class AlreadyRunningError(GuardError):
    """Another instance works on the same database."""

    exit_code = ExitCode.ALREADY_RUNNING
