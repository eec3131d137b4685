DROP POLICY whole_fleet ON enrollment_tokens;
DROP POLICY department ON enrollment_tokens;
ALTER TABLE enrollment_tokens DISABLE ROW LEVEL SECURITY;
-- One that was for a device would make a new one.
DELETE FROM enrollment_tokens WHERE device_id IS NOT NULL;
ALTER TABLE enrollment_tokens DROP COLUMN device_id;
SELECT audit_table('enrollment_tokens', '{id}', 'name', NULL, '{last_used_at}', '{secret_hash}');
