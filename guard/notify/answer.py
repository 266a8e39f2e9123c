"""What answers over HTTP have in common, whoever gives them: an object in JSON, how long to wait; pure."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

_PATIENCE: Final = timedelta(seconds=60)  # where no number of seconds is given
_SHORTEST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = timedelta(hours=1)


def json_object(text: str) -> Mapping[str, object]:
    """The text as a JSON object; empty if it is none."""
    if not text.lstrip().startswith("{"):
        return {}
    try:
        found: Mapping[str, object] = json.loads(text)
    except (ValueError, RecursionError):  # what many brackets give is the second
        return {}
    return found


def wait_of(retry_after: str) -> timedelta:
    """How long to wait: seconds, within a second and an hour; a minute for what is no number of seconds."""
    if not re.fullmatch(r"\s*[0-9]{1,9}(\.[0-9]*)?\s*", retry_after):
        return _PATIENCE
    return min(max(timedelta(seconds=float(retry_after)), _SHORTEST_WAIT), _LONGEST_WAIT)
