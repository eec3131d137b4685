"""Stock counts: what lies at a location is counted part by part, and the differences are booked together."""
