"""PostgreSQL parameters for the embedded server, from the memory and the cores at hand."""

import os

import psutil

MIB = 1024 * 1024


def tuned_parameters(memory_megabytes: int | None, cores: int | None = None) -> dict[str, str]:
    """Parameters for a server that may use `memory_megabytes` (default: half of the machine's memory).

    A quarter of that budget is shared buffers and the planner counts on three quarters being cached, the shares that
    the PostgreSQL manual suggests for a machine of its own.
    """
    budget = memory_megabytes or psutil.virtual_memory().total // MIB // 2
    cores = cores or os.cpu_count() or 1
    shared = max(64, min(budget // 4, 8192))
    return {
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(128, budget * 3 // 4)}MB",
        "work_mem": f"{max(4, min(budget // 128, 64))}MB",
        "maintenance_work_mem": f"{max(64, min(budget // 16, 1024))}MB",
        "max_connections": "120",
        # For the product, should readers take all others.
        "reserved_connections": "50",
        "shared_preload_libraries": "'pg_stat_statements'",
        "synchronous_commit": "on",
        # An embedded server knows pglz alone, which takes 150 us a page: sealing changes each page of frames once more,
        # and would spend most of its time on that.
        "wal_compression": "off",
        "wal_buffers": "32MB",
        "min_wal_size": "256MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
        "default_statistics_target": "100",
        "max_worker_processes": str(max(8, cores * 2)),
        "max_parallel_workers_per_gather": str(max(1, cores // 2)),
        "jit": "off",
        "track_io_timing": "on",
        "timezone": "'UTC'",
        "logging_collector": "on",
        "log_directory": "'log'",
        "log_filename": "'postgresql-%a.log'",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_min_duration_statement": "1s",
        "log_line_prefix": "'%m [%p] %a '",
    }
