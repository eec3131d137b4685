DROP TRIGGER answer_files ON responses;
DROP TRIGGER move_files ON device_requests;
DROP TABLE cloud_file_removals, cloud_file_refs, cloud_stores;
DROP FUNCTION place_cloud_file(), move_cloud_files(), answer_cloud_files(), remember_cloud_files(), cloud_store_for(uuid),
    cloud_local_bytes(), audit_cloud_stores(), audit_cloud_file_refs();
