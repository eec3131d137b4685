"""Orders of parts: drafted, approved, ordered, received; and work orders, by which parts are fitted to devices.

Owns orders, their items and history, and work orders. What is received and fitted is booked by `stock`; who approves is
decided by `approvals`. Uses `device_requests`, `stock`, `devices`, `approvals` and `records`.
"""
