"""Changes of invitations: sending, resending, revoking and accepting them."""
