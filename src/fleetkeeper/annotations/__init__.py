"""What people add to objects and lists of any room: tags, custom fields and notes of objects, saved views of lists.

Owns tags, which objects have them, custom fields and their values, notes, and saved views. Does not own the objects:
rooms above declare them, with who may see and change each. Uses `identity` and `jobs`.
"""
