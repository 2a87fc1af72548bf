"""Reading Logto again and repairing what was missed: lost webhooks, and changes a crash cut in two."""
