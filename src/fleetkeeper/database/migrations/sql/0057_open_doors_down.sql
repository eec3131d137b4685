DROP TABLE telemetry_doors;
