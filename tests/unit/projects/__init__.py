"""Parts of projects without I/O: forms, CSV and filters."""
