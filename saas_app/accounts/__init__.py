"""Accounts: signing in and out, the account page, and what the API says of the caller."""
