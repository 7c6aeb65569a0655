"""The pure core: data in, decisions out. No clock, no network, no AWS; see docs/semantics.md."""
