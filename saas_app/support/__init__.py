"""Support access: the operator's support team acts for a member of an organization that allows it.

Every request and every audit event has two names: the agent's, and the member's. Decision 29 says why it
works as it does.
"""
