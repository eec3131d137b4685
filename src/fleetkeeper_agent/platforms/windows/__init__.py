"""Windows: psutil for what is measured, one PowerShell query for the inventory."""
