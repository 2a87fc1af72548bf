"""The commands of ``saas-app``, one module each. The command line imports only the one that is run."""
