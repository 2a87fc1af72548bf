"""Coordination between workers and requests: leases, shared attempts, repeated requests."""
