"""SCIM 2.0 (RFC 7643, RFC 7644): an identity provider makes, changes and disables users and groups.

Owns the mapping between SCIM's resources and accounts and groups. Does not own those (`identity`), nor what a group
may do: roles are given to groups here, by people.
"""
