from pathlib import Path

import pytest

from guard.errors import StorageError
from guard.store.location import database_path


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/var/lib/guard.db", "/var/lib/guard.db"),
        (Path("/var/lib/guard.db"), "/var/lib/guard.db"),
        ("sqlite:////var/lib/guard.db", "/var/lib/guard.db"),
        ("sqlite:///here/guard.db", "here/guard.db"),
        ("here/a b?c#d%20e.db", "here/a b?c#d%20e.db"),
    ],
)
def test_a_path_or_a_url_names_a_file(location: Path | str, path: str) -> None:
    assert database_path(location) == Path(path).resolve()


def test_a_symbolic_link_names_the_file_behind_it(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "guard.db")
    assert database_path(tmp_path / "link.db") == (tmp_path / "guard.db").resolve()


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("postgresql+psycopg://guard:hunter2@db/guard", "PostgreSQL is not built yet; give GUARD_DATABASE a path"),
        ("mysql://guard:hunter2@db/guard", "a database of kind 'mysql' is not built yet"),
        ("sqlite://", "a database of kind 'sqlite' is not built yet"),
        ("sqlite:///", "GUARD_DATABASE names no file"),
        ("", "GUARD_DATABASE names no file"),
    ],
)
def test_what_is_no_file_is_refused_without_showing_a_password(location: str, message: str) -> None:
    with pytest.raises(StorageError) as caught:
        database_path(location)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)
