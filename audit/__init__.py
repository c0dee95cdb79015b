"""The audit trail: who sent which document when, in files that show whether they were changed."""
