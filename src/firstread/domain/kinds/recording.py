"""A recording, in words."""

from firstread.domain.kinds import Words

KIND = Words(one="recording", many="recordings")
