"""Statements on projects and tasks. The session is bound to an organization and adds it to each of them."""
