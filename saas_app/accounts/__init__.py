"""Accounts: signing in and out, the account page, and the API routes about the caller."""
