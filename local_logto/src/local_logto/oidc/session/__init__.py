"""The browser at this provider: its session, its current sign-in, and signing out."""
