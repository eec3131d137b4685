DROP TABLE device_change_cursors;
