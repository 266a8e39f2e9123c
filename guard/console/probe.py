"""Asks /healthz once, for a container's HEALTHCHECK: `python -m guard.console.probe`; it starts quickly."""

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Final

from guard.errors import ConfigError
from guard.settings import Listen, Settings

TIMEOUT_S: Final = 4.0
_OK: Final = 200
_SHOWN: Final = 500  # letters of an answer
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, and where that is asked


def probe(environ: Mapping[str, str]) -> tuple[bool, str]:
    """Whether the service that runs with this environment is well, and a line that says so; never raises."""
    try:
        listen = Settings.from_environ(environ).listen
    except ConfigError as fault:
        return False, str(fault)
    if listen is None:
        return True, "GUARD_LISTEN is off, so nobody can be asked"
    if listen.port == 0:
        return False, "GUARD_LISTEN leaves the port to chance; name one, so that it can be asked"
    try:
        status, body = asked(listen, timeout_s=TIMEOUT_S, most=_SHOWN)
    except (OSError, HTTPException) as fault:
        return False, f"{listen} does not answer: {getattr(fault, 'strerror', None) or type(fault).__name__}"
    letters = body.decode("ascii", "backslashreplace")
    text = "".join(letter if letter.isprintable() else " " for letter in letters).strip()
    # The port may be another program's, which perhaps finds everything OK.
    return status == _OK and '"status":"ok"' in text, f"{status} {text}"


def asked(listen: Listen, *, timeout_s: float, most: int) -> tuple[int, bytes]:
    """The status and at `most` so many bytes of what /healthz answers; raises OSError and HTTPException."""
    connection = HTTPConnection(_EVERYWHERE.get(listen.host, listen.host), listen.port, timeout=timeout_s)
    try:
        bearer = {"Authorization": b"Bearer " + listen.token.encode()} if listen.token else {}
        connection.request("GET", "/healthz", headers=bearer)
        answer = connection.getresponse()
        return answer.status, answer.read(most)
    finally:
        connection.close()


def main() -> int:
    """Says how the service of this process' environment is; gives 0 if it is well, else 1."""
    is_well, text = probe(os.environ)
    sys.stdout.write(f"{text}\n")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
