"""The bodies of requests: the files and parameters in them, and what is wrong with them."""
