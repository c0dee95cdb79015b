"""Where requests, pages and requests under way are counted: in memory, or in a redis."""
