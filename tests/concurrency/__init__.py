"""Two handlers at the same time on the same data, interleaved on purpose at their writes."""
