"""Webhooks: what Logto tells us of changes made elsewhere, and what they mean here."""
