"""What a body says: a strict JSON object, the API's own message in a refusal, or a few clean words to quote."""

import json
import sys
from typing import Final, cast

from guard.model import Failure, FailureKind
from guard.payload import clean

_QUOTED_BYTES: Final = 200
_MOST_NESTING: Final = 32
_LARGEST: Final = sys.float_info.max
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
    """Reads a JSON object strictly, and masks the key wherever the object echoes it. Never raises."""
    value = read_json(body, key=key)
    if isinstance(value, dict | Failure):
        return value
    return not_usage(body, key=key, what=_WORDS.get(type(value), "null"))


def read_json(body: bytes, *, key: str) -> object | Failure:
    """Reads JSON strictly, and masks the key wherever it is echoed. Never raises.

    Python's reader takes more than JSON has and more than an answer of this API holds. Refused here as no such answer:
    NaN, Infinity and what is not UTF-8. Refused as too large: numbers beyond a float's range and nesting beyond 32
    levels.
    """
    try:
        value: object = _JSON.decode(body.decode())
        return _checked(value, key, _MOST_NESTING)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return not_usage(body, key=key, what="no JSON" if body.strip() else "an empty answer")
    except (ValueError, OverflowError, RecursionError):  # the first for an integer of more than 4,300 digits
        return Failure(FailureKind.TOO_LARGE, "the answer holds a number or a nesting that no usage answer has")


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
    raise json.JSONDecodeError("no number in JSON", word, 0)


_JSON: Final = json.JSONDecoder(parse_constant=_no_number)


def _checked(value: object, key: str, levels: int) -> object:
    """The value with the key masked in all its texts and names; raises OverflowError for what is too large."""
    if isinstance(value, str):
        return value.replace(key, _MASK)
    if isinstance(value, (int, float)):
        if not -_LARGEST <= value <= _LARGEST:
            raise OverflowError
        return value
    if value is None:
        return None
    if not levels:
        raise OverflowError
    if isinstance(value, dict):
        return {name.replace(key, _MASK): _checked(part, key, levels - 1) for name, part in value.items()}
    return [_checked(part, key, levels - 1) for part in cast("list[object]", value)]
