"""Notes that people write on objects. Owns them; who may write on an object is said by the object's room."""
