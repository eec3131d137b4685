"""The one way to list things: a page declares columns, filters and actions, and the rest comes by itself.

That is search, sorting, paging, a choice of columns, and exports. What a list asks for stands in its address, in the
names that the API uses.
"""
