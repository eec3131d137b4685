DROP VIEW hourly_performance_stats;
DROP TABLE hourly_statistics;
