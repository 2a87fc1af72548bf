"""Access requests, by the pages and by the API."""
