"""What people add to objects and lists of any room: tags, custom fields, notes and files of objects, views of lists.

Owns tags, which objects have them, custom fields and their values, notes, files, bookmarks, and saved views. Does not
own the objects: rooms above declare them, with who may see and change each. Uses `identity` and `jobs`.
"""
