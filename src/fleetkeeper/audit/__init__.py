"""Who changed what, when, from where and why.

The place of the audit log: row changes by trigger and domain events. It uses nothing but `database`.
"""
