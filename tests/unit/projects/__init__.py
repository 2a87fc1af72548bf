"""Pure parts of projects: forms, CSV, choices of a list."""
