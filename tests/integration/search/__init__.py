"""The search, with a real application and provider."""
