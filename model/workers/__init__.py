"""Child processes: start and stop them, pass messages and memory files, wait for a free one."""
