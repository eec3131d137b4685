DROP TABLE space_totals, space_groups, space_devices, space_channels, intake_minutes;
ALTER TABLE archive_parts DROP COLUMN group_rows;
ALTER TABLE channels DROP COLUMN first_seen;
