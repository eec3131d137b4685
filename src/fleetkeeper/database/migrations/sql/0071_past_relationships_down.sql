DROP POLICY both_ends ON device_revisions;
