"""Statements compiled once and given to SQLite's own driver: for what every cycle writes, and what a replay reads.

SQLAlchemy makes the SQL and turns the values, as it does elsewhere; only its way through the connection, which costs
five times what SQLite does, is left out. Transactions and errors are those of the connection all the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import TypeEngine

_DIALECT = sqlite.dialect(paramstyle="named")


class Prepared:
    """One statement, whose parameters are named as its columns are."""

    def __init__(self, statement: Insert | Select[Any]) -> None:
        """Compiles the statement."""
        compiled = statement.compile(dialect=_DIALECT)
        self._sql = str(compiled)
        self._turns = [(name, turn) for name, bind in compiled.binds.items() if (turn := _turn(bind.type)) is not None]

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Runs it in the connection's transaction, and gives the driver's cursor; raises what the driver raises."""
        turned = {**values, **{name: turn(values[name]) for name, turn in self._turns}}
        driver: Any = connection.connection.dbapi_connection
        return driver.execute(self._sql, turned)


def _turn(type_: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """From a value to what the driver takes for it; None where that is the same."""
    turn: Callable[[Any], Any] | None = type_.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return turn
