"""Tables by geometry: rules, rows, columns and cells."""
