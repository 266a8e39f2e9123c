"""What an API may answer instead of a usage, by name. None of it may fire or resolve anything."""

import gzip
import json
from typing import Any, Final

from tests.acceptance.agentphone import usage
from tests.acceptance.exchange import Answer, Handler, cut_short, document, drop, page, reply, reset

_JSON: Final = {"Content-Type": "application/json"}
_GZIP: Final = {**_JSON, "Content-Encoding": "gzip"}
_GOOD: Final = json.dumps(usage()).encode()
_ALARMING: Final = usage(1, messagesLast24h=99_999)


def bad_answers() -> dict[str, Answer]:
    """Answers that are no usage."""
    return {
        "an empty body": reply(200),
        "a page": page(200),
        "a list": document([_ALARMING]),
        "a string": document("numbers"),
        "null": document(None),
        "an object of something else": document({"status": "ok"}),
        "JSON that ends early": reply(200, _GOOD[:-40], _JSON),
        "a body that ends early": cut_short(_GOOD),
        "NaN": _with_remaining(b"NaN"),
        "minus Infinity": _with_remaining(b"-Infinity"),
        "1e999": _with_remaining(b"1e999"),
        "an integer of 5,000 digits": _with_remaining(b"9" * 5_000),
        "100,000 brackets": reply(200, b"[" * 100_000, _JSON),
        "100,000 brackets within a usage": _with_remaining(b"[" * 50_000 + b"]" * 50_000),
        "a body of 2 MiB": reply(200, _GOOD + b" " * (2 << 20), _JSON),
        "a gzip bomb": reply(200, gzip.compress(bytes(100 << 20), 1), _GZIP),
        "gzip, which nobody asked for": reply(200, gzip.compress(json.dumps(_ALARMING).encode()), _GZIP),
        "what is not UTF-8": reply(200, _GOOD.replace(b"growth", b"gr\xffwth"), _JSON),
        "204": reply(204),
        "404": reply(404, b'{"detail": "Not Found"}', _JSON),
        "418 with a usage": reply(418, json.dumps(_ALARMING).encode(), _JSON),
        "422": reply(422, b'{"detail": [{"loc": ["query"], "msg": "bad", "type": "x"}]}', _JSON),
        "500": page(500),
        "502": page(502),
        "503": page(503),
        "a redirect to elsewhere": reply(302, headers={"Location": "https://example.invalid/v1/usage"}),
        "a redirect to itself": reply(307, headers={"Location": "/v1/usage"}),
        "a reset": reset,
        "a closed connection": drop,
        "what is not HTTP": _not_http,
        "an old report": document({**_ALARMING, "reportGeneratedAt": "2026-01-01T00:00:00Z"}),
    }


def odd_answers() -> dict[str, Answer]:
    """Usages whose fields make no sense."""
    wrong = {"a text": "1", "true": True, "a list": [1], "an object": {"used": 1}, "null": None}
    odd: dict[str, Any] = {f"{word} for every field": _everywhere(value) for word, value in wrong.items()}
    odd |= {
        "negative counts": _everywhere(-5),
        "limits of 0": {**_everywhere(0), "stats": {}},
        "only stats, and they are empty": {"stats": {}},
        "only a plan": {"plan": usage()["plan"]},
        "three empty parts": {"plan": {}, "numbers": {}, "stats": {}},
        "parts that are null": {"plan": None, "numbers": {}, "stats": None},
        "parts that are lists": {"plan": [], "numbers": [1], "stats": {"messagesLast24h": None}},
    }
    return {name: document(value) for name, value in odd.items()}


def _everywhere(value: object) -> dict[str, Any]:
    """A usage with this value for every field."""
    whole = usage()
    whole["plan"] = {"name": value, "limits": dict.fromkeys(whole["plan"]["limits"], value)}
    return whole | {part: dict.fromkeys(whole[part], value) for part in ("numbers", "stats")}


def _with_remaining(number: bytes) -> Answer:
    """A usage in which this stands for the numbers that remain."""
    return reply(200, _GOOD.replace(b'"remaining": 5', b'"remaining": ' + number), _JSON)


def _not_http(handler: Handler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
