"""What docs/runtimes.md assumes of AWS, checked in a real account (`scripts/verify-on-aws`)."""
