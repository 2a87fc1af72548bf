"""The sign-in methods: what is declared of connectors and the sign-in experience, and what it offers."""
