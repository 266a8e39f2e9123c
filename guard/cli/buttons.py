"""Buttons in `guard status`: whether the service that runs hears the presses, which nobody else knows."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final

from guard.settings import Listen

if TYPE_CHECKING:
    from guard.config import Config

_TIMEOUT_S: Final = 1.0
_MOST: Final = 1 << 20  # letters of an answer


@dataclass(frozen=True, slots=True)
class Buttons:
    """The channels with buttons, and of which presses are heard: True, False, or None where nobody could be asked."""

    heard: Mapping[str, bool | None]
    where: str  # the service that was asked, or why none was
    whys: tuple[str, ...] = ()  # for those that are not heard


def read_buttons(config: "Config | None", listen: Listen | None) -> Buttons | None:
    """Asks the service where it listens; None where no channel has buttons. Takes about a second at most."""
    from guard.notify.channels import slack_apps

    names = [name for names in slack_apps(config.channels.values()).values() for name in names] if config else []
    if not names:
        return None
    if listen is None or listen.port == 0:
        return Buttons(dict.fromkeys(names), "GUARD_LISTEN names no address to ask at")
    found = _asked(listen)
    if found is None:
        return Buttons(dict.fromkeys(names), f"no service answers at {listen}")
    said = {each.get("channel"): each.get("buttons") for each in _rows(found.get("channels"))}
    whys = [each for each in found.get("reasons", ()) if isinstance(each, str) and each.startswith("buttons in ")]
    heard = {name: said[name] if isinstance(said.get(name), bool) else None for name in names}
    return Buttons(heard, f"the service at {listen}", tuple(whys))


def _asked(listen: Listen) -> dict[str, Any] | None:
    """What /healthz says; None where nothing like it does."""
    from guard.console.probe import asked

    try:
        _, body = asked(listen, timeout_s=_TIMEOUT_S, most=_MOST)
        found = json.loads(body)
    except (OSError, HTTPException, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("reasons"), list) else None


def _rows(found: object) -> Iterable[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def buttons_lines(buttons: Buttons) -> Iterator[str]:
    """What there is to say of them to people."""
    names = {is_heard: [name for name, each in buttons.heard.items() if each is is_heard] for is_heard in (True, None)}
    if names[True]:
        yield f"Presses of buttons are heard: {', '.join(names[True])}."
    yield from (f"{why[:1].upper()}{why[1:]}" for why in buttons.whys)
    if names[None]:
        yield f"Presses of buttons: nobody knows whether they are heard: {', '.join(names[None])} ({buttons.where})."
