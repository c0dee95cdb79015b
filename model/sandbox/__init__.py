"""Restrict a process before it reads an upload: no files, no network, no other processes.

seccomp is the boundary; Landlock is the second one, where the kernel has it.
"""
