"""What a body says: a strict JSON object, the API's own message in a refusal, or a few clean words to quote."""

import json
import math
from typing import Final

from guard.model import Failure, FailureKind
from guard.payload import clean

_QUOTED_BYTES: Final = 200
_MOST_NESTING: Final = 32
_MASK: Final = "***"
_WORDS: Final = {list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


def quote(text: str, *, key: str) -> str:
    """Text from outside for a failure's text: clean, without the key, and at most 200 bytes of UTF-8.

    The key is looked for after cleaning, which could put its pieces together, and before cutting, which could leave a
    part of it.
    """
    masked = clean(text, at_most=len(text)).replace(key, _MASK)
    octets = masked.encode()
    if len(octets) <= _QUOTED_BYTES:
        return masked
    return octets[: _QUOTED_BYTES - len("…".encode())].decode(errors="ignore") + "…"


def read_object(body: bytes, *, key: str) -> dict[str, object] | Failure:
    """Reads a JSON object strictly, and masks the key wherever the object echoes it. Never raises.

    Python's reader takes more than JSON has and more than a usage answer holds. Refused here as no usage answer: NaN,
    Infinity, what is not UTF-8 and every value that is no object. Refused as too large: numbers beyond a float's range
    and nesting beyond 32 levels.
    """
    try:
        value = json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except (OverflowError, RecursionError):
        return Failure(FailureKind.TOO_LARGE, "the answer holds a number or a nesting that no usage answer has")
    except ValueError:
        return not_usage(body, key=key, what="no JSON" if body.strip() else "an empty answer")
    if not isinstance(value, dict):
        return not_usage(body, key=key, what=_WORDS.get(type(value), "null"))
    if not _is_shallow(value):
        return Failure(FailureKind.TOO_LARGE, f"the answer is nested more than {_MOST_NESTING} levels deep")
    return {name.replace(key, _MASK): _masked(part, key) for name, part in value.items()}


def not_usage(body: bytes, *, key: str, what: str) -> Failure:
    """The failure for a body that is not what the usage API says, with at most 200 clean bytes of it."""
    words = quote(body.decode(errors="replace"), key=key)
    return Failure(FailureKind.NOT_USAGE, f"not the usage API: {what}" + (f": {words}" if words else ""))


def message(body: bytes, *, key: str) -> str:
    """The API's own words in a refusal, clean and without the key; empty where the body has none.

    Two shapes occur: `{"error": {"message": "…"}}`, and `{"detail": …}` with a string or a list of `{"loc", "msg"}`.
    """
    match read_object(body, key=key):
        case {"error": {"message": str(text)}} | {"detail": str(text)}:
            return quote(text, key=key)
        case {"detail": [*problems]}:
            return quote("; ".join(filter(None, map(_problem, problems))), key=key)
        case _:
            return ""


def _problem(problem: object) -> str:
    match problem:
        case {"loc": [*places], "msg": str(text)}:
            return f"{'.'.join(map(str, places))}: {text}"
        case {"msg": str(text)}:
            return text
        case _:
            return ""


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise OverflowError
    return number


def _whole(digits: str) -> int:
    _finite(digits)  # first, because int() refuses 5,000 digits with an error of another kind
    return int(digits)


def _is_shallow(value: object) -> bool:
    """Whether the value is nested no deeper than allowed; level by level, so that depth costs no stack."""
    level = [value]
    for _ in range(_MOST_NESTING):
        level = [part for outer in level if isinstance(outer, dict | list) for part in _parts(outer)]
        if not level:
            return True
    return False


def _parts(outer: dict[str, object] | list[object]) -> list[object]:
    return outer if isinstance(outer, list) else list(outer.values())


def _masked(value: object, key: str) -> object:
    match value:
        case str():
            return value.replace(key, _MASK)
        case dict():
            return {name.replace(key, _MASK): _masked(part, key) for name, part in value.items()}
        case list():
            return [_masked(part, key) for part in value]
        case _:
            return value
