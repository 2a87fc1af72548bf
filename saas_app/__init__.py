"""Workroom: projects and tasks for organizations, gated by organization roles that live in Logto."""
