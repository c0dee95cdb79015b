"""What is counted while the service runs, and how GET /metrics writes it."""
