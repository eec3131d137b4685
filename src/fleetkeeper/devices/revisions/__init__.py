"""What devices and their parts were at any time, and the feed of what changed."""
