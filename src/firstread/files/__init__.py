"""Files on a disk that may be full, and on a machine that may lose its power."""
