"""What the database does when clients leave, when it is locked, and when it is gone."""
