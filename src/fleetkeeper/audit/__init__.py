"""Who did what, when, from where and why.

Owns the audit log (row changes by trigger, and domain events), its partitions, its seals and its archive. Does not own
the doors to it (`operations`), which need access checks. Uses `database` and `config` only.
"""
