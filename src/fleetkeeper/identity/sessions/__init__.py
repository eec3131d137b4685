"""Browser sessions as people see and end them.

Does not own how they are opened and recognized (`identity`), nor how one proves who one is (`identity.sign_in`).
"""
