"""Coordination: what workers and requests have to agree on: leases, shared attempts, repeated requests."""
