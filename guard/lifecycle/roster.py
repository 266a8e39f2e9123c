"""Who belongs to a master account, by its listings: who is new, who is absent, and who is gone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from guard.model import SubAccount

GONE_AFTER: Final = 3  # complete and not empty listings in a row without it


@dataclass(frozen=True, slots=True)
class Roster:
    """The sub-accounts after a listing: those who belong, in order, and those who no longer do."""

    members: tuple[SubAccount, ...]
    gone: tuple[SubAccount, ...] = ()


def listed(
    master: str,
    known: Iterable[SubAccount],
    ids: Collection[str],
    *,
    is_complete: bool = True,
    keep: Collection[str] = (),
) -> Roster:
    """What a listing says of those who are `known`: an empty one nothing, and one with gaps of nobody that they left.

    Members come in the order of `known`, new ones after them in the order of `ids`. Those in `keep` cannot go now, and
    will after the next listing without them.
    """
    known = tuple(known)
    if not ids:
        return Roster(known)
    shown, before = set(ids), {each.id for each in known}
    missed = 1 if is_complete else 0
    after = [replace(each, absent=0 if each.id in shown else each.absent + missed) for each in known]
    new = [SubAccount(master, each) for each in ids if each not in before]
    gone = {each.id for each in after if each.absent >= GONE_AFTER and each.id not in keep}
    return Roster(
        members=(*(each for each in after if each.id not in gone), *new),
        gone=tuple(each for each in after if each.id in gone),
    )
