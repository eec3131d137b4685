GRANT EXECUTE ON FUNCTION create_alert_partition(date), manage_alert_partitions(date), forget_alert_events(),
    move_alerts_of_device() TO PUBLIC;
