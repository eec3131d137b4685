"""Tags, and which objects have them. Owns both; who may tag an object is said by the object's room."""
