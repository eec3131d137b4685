"""Custom fields and their values. Owns both; who may see or change an object is said by the object's room."""
