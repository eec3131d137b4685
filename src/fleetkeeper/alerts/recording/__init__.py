"""Recording rules of rule files, and where the series that they record are kept."""
