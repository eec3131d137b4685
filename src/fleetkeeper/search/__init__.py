"""One search over everything: what is asked, how hits of all kinds are ranked, and the door.

It owns no data: rooms above declare what can be found, each by a `Source`, and each looks only at what its actor may
see. Uses identity.
"""
