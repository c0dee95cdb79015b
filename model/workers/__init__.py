"""Child processes: starting and ending them, messages and memory files, waiting for a free one."""
