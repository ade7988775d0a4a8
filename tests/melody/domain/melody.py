"""A melody, in words."""

from firstread.domain.kinds import Words

KIND = Words(one="melody", many="melodies")
