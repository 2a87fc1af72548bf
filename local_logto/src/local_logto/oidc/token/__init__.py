"""Tokens: the grant types that issue them, how they are stored and signed, and questions about them."""
