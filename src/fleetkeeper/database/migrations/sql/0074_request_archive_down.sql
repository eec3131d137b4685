DROP TRIGGER move_archived_requests ON devices;
DROP TABLE archived_requests, request_archives;
DROP FUNCTION move_archived_requests();
