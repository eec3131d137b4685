"""Why samples were refused, with an example of each, for people to look at.

Owns `refused_samples`, and the notes of a web process that wait for it. Does not decide what is refused: the doors of
agents and senders do. Uses `devices`, `identity`.
"""
