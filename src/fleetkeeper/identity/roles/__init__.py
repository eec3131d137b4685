"""Named sets of permissions.

Owns roles and what each allows. Does not own who has them (`identity.memberships`).
"""
