"""What each page shows: one frozen dataclass per page, with the names its template may use."""
