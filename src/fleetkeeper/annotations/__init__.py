"""What people add to objects and lists of any room: saved views of lists.

Owns saved views. Does not own what they are added to: rooms above say what there is. Uses `identity`.
"""
