"""The whole system over HTTP: `nightjar dev` as a process of its own, and the official SDK."""
