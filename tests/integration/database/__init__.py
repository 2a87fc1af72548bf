"""The database while clients disconnect, while it is locked, and while it is down."""
