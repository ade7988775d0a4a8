"""One page, and the pictures in it: how well a pack reads, drawn as SVG."""
