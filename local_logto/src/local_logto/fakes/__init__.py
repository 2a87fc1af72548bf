"""HTTP servers that behave as message and identity providers document their own."""
