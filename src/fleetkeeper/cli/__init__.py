"""The command line: one file per noun. What lists something does so with `--json` too."""
