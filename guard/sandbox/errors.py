"""What a person who starts a sandbox can mend."""

from collections.abc import Iterable
from difflib import get_close_matches


class SandboxError(Exception):
    """A sandbox that cannot start; its text says what is wrong, where, and what to do next."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'numbers'?` with the known word that is nearest, or nothing when none is near.

    >>> suggestion("numbrs", ("steady", "numbers"))
    ", did you mean 'numbers'?"
    """
    near = get_close_matches(word[:80], tuple(known), n=1, cutoff=0.7)
    return f", did you mean {near[0]!r}?" if near else ""
