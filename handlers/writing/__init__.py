"""Parts of the formats: text, places and tables as they need them."""
