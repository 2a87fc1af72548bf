"""Webhooks: Logto reports changes that were made elsewhere."""
