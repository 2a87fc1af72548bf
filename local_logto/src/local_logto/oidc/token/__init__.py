"""Tokens: the grants that give them, how they are stored and signed, and what may be asked about them."""
