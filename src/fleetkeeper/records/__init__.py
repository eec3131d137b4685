"""The usual service and API of a kind of object that belongs to departments: a room declares its own and adds to them.

Owns no table. Uses approvals, identity and the list system of `kit`; knows no room that uses it.
"""
