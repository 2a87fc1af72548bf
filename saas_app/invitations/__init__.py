"""Inviting people into an organization by email, and accepting an invitation. Logto stores invitations."""
