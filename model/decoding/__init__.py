"""An upload's bytes to pixels, each page in a process of its own that is forked from a zygote."""
