DROP TABLE device_import_rows, device_imports;
DROP FUNCTION audit_device_imports();
