"""Inviting people into an organization by e-mail, and accepting an invitation. Logto keeps them all."""
