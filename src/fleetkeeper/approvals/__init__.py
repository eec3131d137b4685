"""The one way to ask for a second pair of eyes: rules say which actions wait until other people have approved them.

Owns rules, requests, decisions and delegations. Does not own what is approved: rooms declare kinds beside the work and
ask before they begin it. Uses `identity`, `notifications` and `jobs`.
"""
