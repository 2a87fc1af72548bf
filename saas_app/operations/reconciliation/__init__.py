"""Reconciliation: compares Workroom with Logto and repairs lost webhooks and interrupted changes."""
