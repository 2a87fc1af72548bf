"""What the operator does with a PostgreSQL database beyond migrations."""
