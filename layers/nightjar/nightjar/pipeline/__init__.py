"""The imperative shell: read, ask the core, write."""
