"""How Alembic runs here: on the connection, and in the transaction, that `guard.store.schema` gives it."""

from alembic import context

from guard.store.tables import Row

context.configure(connection=context.config.attributes["connection"], target_metadata=Row.metadata)
context.run_migrations()
