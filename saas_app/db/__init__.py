"""The database: base classes, engine, unit of work, and the tenant scope."""
