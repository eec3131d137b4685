-- A token may be for one device, which a machine that was installed again stays.
ALTER TABLE enrollment_tokens ADD COLUMN device_id uuid
    CONSTRAINT fk_enrollment_tokens_device_id_devices REFERENCES devices ON DELETE CASCADE;
CREATE INDEX ix_enrollment_tokens_device_id ON enrollment_tokens (device_id);
SELECT audit_table('enrollment_tokens', '{id}', 'name', NULL, '{last_used_at}', '{secret_hash}');
SELECT secure_table('enrollment_tokens');
