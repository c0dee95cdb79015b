"""What happens once, before the first request: functions found, Hypercorn checked, a key made."""
