"""The buttons under a message of Slack that tells of a firing incident, and what a press of one says; pure.

https://docs.slack.dev/reference/block-kit/block-elements/button-element
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from guard.message import Firing, one_line, shortened
from guard.model import AlertKey
from guard.notify.answer import json_object

ENDED: Final = "This incident has ended; there is nothing left to do about it."
"""What is told for a press that came too late."""

_ACK: Final = "guard.ack"
_OPEN: Final = "guard.open"
_SILENCES: Final = {f"guard.silence.{hours}h": timedelta(hours=hours) for hours in (1, 4, 24)}
_OURS: Final = frozenset({_ACK, _OPEN, *_SILENCES})
_VALUE_MOST: Final = 2000  # characters, Slack's most
_LINK_MOST: Final = 3000  # the same
_NAME_MOST: Final = 80


class PressKind(StrEnum):
    """What a press asks for."""

    ACK = "ack"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button under the message of an incident."""

    kind: PressKind
    key: AlertKey
    incident_id: str
    for_: timedelta | None  # of a silence; None for an ack
    by: str  # `@name` of the person, or the id where Slack tells no name; one line
    at: datetime


@dataclass(frozen=True, slots=True)
class Pressed:
    """A press as Slack tells of it: once more with the same `id` if it is told again."""

    press: Press
    id: str
    answer_url: str = field(repr=False)  # takes what only that person sees, without a token; empty if there is none


@dataclass(frozen=True, slots=True)
class NoPress:
    """What was told is none of ours; `why` is for the log, and empty where nothing is wrong with it."""

    why: str = ""


def button_blocks(firing: Firing, *, link: str = "") -> list[dict[str, object]]:
    """The block of buttons of one incident; none if its names are too long to go along with a press.

    `link` is where the console shows the alert; empty where nobody said where people find it.
    """
    value = json.dumps({"incident": firing.incident_id, "key": _parts(firing.key)}, ensure_ascii=False)
    if len(value.encode("utf-16-le", "surrogatepass")) > 2 * _VALUE_MOST:
        return []
    return [{"type": "actions", "elements": list(_elements(firing, value, link))}]


def _elements(firing: Firing, value: str, link: str) -> Iterator[dict[str, object]]:
    if not firing.is_acked:
        yield {**_button("Acknowledge", _ACK), "value": value, "style": "primary"}
    for action_id, duration in _SILENCES.items():
        yield {**_button(f"Silence {_hours(duration)}", action_id), "value": value}
    if link and len(link) <= _LINK_MOST:
        yield {**_button("Open", _OPEN), "url": link}


def press_of(payload: Mapping[str, Any], *, app_id: str, at: datetime) -> Pressed | NoPress:
    """What an interactive payload says; never raises, whatever it holds.

    `app_id` is the app that we are, empty where Slack has not said. People of another workspace, who may be in a
    channel that is shared with it, press in vain.
    """
    action, user = _action(payload), payload.get("user")
    about = _about(action.get("value"))
    if why := _refusal(payload, action, app_id=app_id):
        return NoPress(why)
    if action["action_id"] == _OPEN:
        return NoPress()  # the browser has opened it
    if about is None or not isinstance(user, dict):
        return NoPress("its value is malformed")
    action_id = str(action["action_id"])
    kind = PressKind.ACK if action_id == _ACK else PressKind.SILENCE
    press = Press(kind, *about, for_=_SILENCES.get(action_id), by=_name(user), at=at)
    once = f"{user['id']} {action_id} {action.get('action_ts', '')} {press.incident_id}"
    url = payload.get("response_url")
    return Pressed(press, once, url if isinstance(url, str) else "")


def _refusal(payload: Mapping[str, Any], action: Mapping[str, Any], *, app_id: str) -> str:
    """Why it counts for nothing; empty if it may count."""
    if str(action.get("action_id")) not in _OURS:
        return "it is no button of ours"
    if app_id and payload.get("api_app_id") not in {None, app_id}:
        return "it is another app's"
    match payload.get("user"):
        case {"id": str(), **user}:
            return "who pressed it is of another workspace" if _is_stranger(payload, user) else ""
        case _:
            return "it does not say who pressed it"


def _button(text: str, action_id: str) -> dict[str, object]:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}}


def _hours(duration: timedelta) -> str:
    return f"{duration // timedelta(hours=1)} h"


def _parts(key: AlertKey) -> list[str]:
    return [key.account, key.rule, key.subject]


def _action(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    match payload:
        case {"type": "block_actions", "actions": [dict(action), *_]}:
            return action
        case _:
            return {}


def _is_stranger(payload: Mapping[str, Any], user: Mapping[Any, Any]) -> bool:
    """Whether the person is of another workspace; in an organisation of many they may be of any."""
    team, home = payload.get("team"), user.get("team_id")
    return not payload.get("enterprise") and isinstance(team, dict) and home not in {None, team.get("id")}


def _about(value: object) -> tuple[AlertKey, str] | None:
    match json_object(value) if isinstance(value, str) else {}:
        case {"incident": str(incident_id), "key": [str(account), str(rule), str(subject)]} if (
            incident_id and account and rule
        ):
            return AlertKey(account, rule, subject), incident_id
        case _:
            return None


def _name(user: Mapping[str, Any]) -> str:
    found = user.get("username") or user.get("name")
    return shortened(one_line(f"@{found}" if isinstance(found, str) else user["id"]), at_most=_NAME_MOST)
