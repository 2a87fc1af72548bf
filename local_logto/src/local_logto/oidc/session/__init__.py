"""The browser at this provider: who is signed in, the sign-in it is in the middle of, and signing out."""
