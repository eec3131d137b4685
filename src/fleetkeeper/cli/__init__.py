"""The command line: one file per noun. What an administrator scripts is here; everything with `--json` where it lists."""
