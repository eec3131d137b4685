"""Places where devices are, a tree of regions, sites, rooms, racks and depots."""
