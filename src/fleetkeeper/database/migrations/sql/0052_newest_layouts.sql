-- Whether a device has used a layout that whoever remembers its series does not know yet.
CREATE INDEX ix_device_layouts_first_seen ON device_layouts (first_seen);
