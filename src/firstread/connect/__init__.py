"""The world outside, a folder per service; `line` is what several of them speak over."""
