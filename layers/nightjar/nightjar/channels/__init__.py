"""Where messages go: one module a channel, imported on first use."""
