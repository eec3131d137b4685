"""Where the numbers come from on each operating system. Parsers here are pure functions of recorded text."""
