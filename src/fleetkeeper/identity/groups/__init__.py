"""People who get roles together.

Owns groups and who is in those made here; members of a provider's group come from the provider. Does not own their
roles (`identity.memberships`).
"""
