from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from guard.store import Store
from guard.store.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "guard.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path, create=True)
    yield database
    database.close()


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(path, create=True)
    yield store
    await store.close()
