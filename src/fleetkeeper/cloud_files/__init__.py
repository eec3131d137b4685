"""Files of device requests and their responses, and the stores that they are copied to (document 001).

Owns `cloud_stores`, `cloud_file_refs`, `cloud_file_removals`, and the folder of files on this server. It does not own
requests, whose departments say who sees a file. Uses device_requests, records, notifications, annotations and jobs.
"""
