-- Whoever may read the log of alerts may neither make nor drop its partitions.
REVOKE EXECUTE ON FUNCTION create_alert_partition(date), manage_alert_partitions(date), forget_alert_events(),
    move_alerts_of_device() FROM PUBLIC;
