"""Data that leaves or enters the database: exports, imports, and the erasure of a person."""
