"""Files that people attach to objects. Owns them; who may attach one is said by the object's room."""
