"""What the service remembers: tables, migrations, and queries that take a session or connection."""
