"""The process in which Apprise speaks to a service: it is synchronous, and only a process can be stopped.

It reads one JSON object, `url` and `notes`, and answers one JSON object a line: `fault` where nothing can be sent, else
for each note, in their order up to the first that fails, `id`, `is_sent` and the `status` that the service answered
where that is known. A note has an `id`, `title`, `body`, `type`, and a `query` that is appended to the URL. Nothing but
that is said: what Apprise logs may hold the URL, which is a secret.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

MISSING: Final = "missing"
UNUSABLE: Final = "unusable"

Said = Mapping[str, object]

_STATUS: Final = re.compile(r"\berror=([1-5][0-9]{2})\b")  # how Apprise's services log an answer that is no success


def main() -> None:
    """Sends what standard input says."""
    out, sys.stdout = sys.stdout, sys.stderr  # whatever else is printed must not look like an answer
    logging.lastResort = None
    asked = json.load(sys.stdin)
    for said in _answers(asked["url"], asked["notes"]):
        print(json.dumps(said), file=out, flush=True)


def _answers(url: str, notes: Iterable[Mapping[str, Any]]) -> Iterator[Said]:
    try:
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - it is an extra
    except ImportError:
        yield {"fault": MISSING}
        return
    asset = AppriseAsset(http_redirects=False)  # who knows where the message would be carried to
    if Apprise.instantiate(url, asset=asset, suppress_exceptions=True) is None:
        yield {"fault": UNUSABLE}
        return
    for note in notes:
        said = _sent(Apprise(asset=asset), url, note)
        yield said
        if not said["is_sent"]:
            return


def _sent(apprise: Any, url: str, note: Mapping[str, Any]) -> Said:
    query = urlencode(note["query"])
    apprise.add(f"{url}{'&' if '?' in url else '?'}{query}" if query else url)
    result = apprise.notify(body=note["body"], title=note["title"], notify_type=note["type"], body_format="text")
    logged = (_STATUS.search(str(entry.message)) for entry in result.logs())
    return {"id": note["id"], "is_sent": bool(result), "status": next((int(each[1]) for each in logged if each), None)}


if __name__ == "__main__":  # pragma: no cover - tests run it, where coverage does not look
    main()
