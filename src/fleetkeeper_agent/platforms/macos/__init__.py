"""macOS: psutil for what is measured, `sw_vers`, `sysctl` and `system_profiler` for the inventory."""
