"""What callers may do: permissions, decisions and the policy. Pure: no I/O, no web framework."""
