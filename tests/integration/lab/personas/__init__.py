"""Visitors who see Workroom as a demo person."""
