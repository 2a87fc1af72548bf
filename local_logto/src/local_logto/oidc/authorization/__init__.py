"""From an authorization request to its answer: what it may ask, which pages it needs, which code it gets."""
