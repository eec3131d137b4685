"""Rules of approvals: which actions wait, and for whom."""
