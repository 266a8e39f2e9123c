"""Where the database is: a path, or a `sqlite:///` URL."""

import re
from pathlib import Path
from typing import Final

from guard.errors import StorageError

_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(/?)(.*)", re.IGNORECASE | re.DOTALL)


def database_path(location: Path | str) -> Path:
    """The absolute path that a location names, symbolic links followed, so that one database has one lock.

    Raises StorageError for any other URL; its text never shows the URL, which may hold a password.
    """
    path = str(location)
    if url := _URL.match(path):
        kind, root, path = url.groups()
        if kind.lower() != "sqlite" or not root:
            name = "PostgreSQL" if kind.lower().startswith("postgres") else f"a database of kind {kind!r}"
            raise StorageError(f"{name} is not built yet; give GUARD_DATABASE a path, or sqlite:///path")
    if not path:
        raise StorageError("GUARD_DATABASE names no file; give it a path, or sqlite:///path")
    return Path(path).resolve()
