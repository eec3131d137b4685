"""The database: the embedded server, engines, sessions, migrations. Knows no room."""
