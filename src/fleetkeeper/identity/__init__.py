"""Who is calling: users, roles, browser sessions, API tokens, and what each may do.

Does not own devices' keys (`devices`) nor enrollment (`fleet`). Uses `database` and `settings` only.
"""
