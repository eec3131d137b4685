"""Rules and alerts as clients of Prometheus read them. Owns nothing."""
