"""Ways out: mail servers, webhooks and chat services. Owns their settings and secrets, not what goes out by them."""
