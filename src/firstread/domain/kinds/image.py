"""A picture, in words."""

from firstread.domain.kinds import Words

KIND = Words(one="picture", many="pictures")
