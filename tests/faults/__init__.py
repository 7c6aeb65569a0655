"""What goes wrong without anybody dying: AWS throttles, times out, takes a part; receivers refuse and stall."""
