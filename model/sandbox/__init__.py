"""What a process gives up before it sees a stranger's bytes: files, network, other processes.

seccomp is the boundary; Landlock stands behind it where the kernel has it.
"""
