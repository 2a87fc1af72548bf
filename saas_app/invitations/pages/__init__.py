"""Pages of invitations: inviting people, and accepting an invitation."""
