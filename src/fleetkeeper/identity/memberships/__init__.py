"""Roles that users and groups have, in departments or everywhere.

Owns how memberships are given and taken away, and the explanation of what somebody may do. Does not own what a role
allows (`identity.roles`).
"""
