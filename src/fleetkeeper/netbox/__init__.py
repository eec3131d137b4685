"""The API of NetBox over this product's inventory, for pynetbox, Ansible and whatever else speaks to NetBox.

Owns the names that its clients register before a device has them, and how both say the same thing; devices, their
parts, locations, tags and custom fields stay with their rooms, whose services it calls. Uses `devices`, `annotations`
and `identity`.
"""
