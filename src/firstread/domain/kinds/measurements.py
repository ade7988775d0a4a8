"""A row of measurements, in words."""

from firstread.domain.kinds import Words

KIND = Words(one="row of measurements", many="measurements")
