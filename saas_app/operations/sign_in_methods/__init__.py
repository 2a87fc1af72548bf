"""Sign-in methods: the declared connectors and sign-in experience, and what Workroom offers."""
