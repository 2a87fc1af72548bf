"""Projects and tasks on a migrated database, without a browser or a provider."""
