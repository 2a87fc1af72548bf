"""Limits: how often a caller may do something, counted in the process, in Redis or in the database."""
