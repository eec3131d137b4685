"""Settings that administrators change while the product runs: the `config` table of document 004.

Owns keys, types, defaults. Does not own what the operator gives at start (`settings`), nor what a setting causes.
"""
