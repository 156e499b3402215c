"""Alembic's entry: runs one service's migrations on the connection that `shared.migrations` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_version",
    version_table_schema=context.config.attributes["service"],
)
context.run_migrations()
