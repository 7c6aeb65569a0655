"""The checks of scripts/verify: that each can pass, and that each can fail."""
