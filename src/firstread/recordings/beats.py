"""The beats of a recording: when the peak of each is, whatever its shape.

After Pan and Tompkins (IEEE Trans Biomed Eng 32:230, 1985): band, slope, square, moving mean.
Unlike theirs it looks at all leads together, and, because a recording lies there whole, at the
beats after a place as well as before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firstread.recordings.recording import Recording
from firstread.recordings.resample import Lead, filtered, low_pass, moving_mean
from firstread.recordings.silence import Mask, lead_at, spans_s, widened

RATE_HZ = 180.0
"""Beats are looked for at this rate; what lies above 90 Hz tells nothing of where a beat is."""
LEADS_USED = 3
_BAND_HZ = (5.0, 22.0)
_INTEGRATED_S = 0.11
_REFRACTORY_S = 0.22
"""No two beats come closer: the heart's muscle cannot answer again."""
_T_WAVE_S = 0.36
"""A T wave comes within that of its beat's peak, as Pan and Tompkins have it."""
_HEIGHT = 0.38
_LOOKED_BACK_HEIGHT = 0.2
_LEAST_HEIGHT = 0.12
"""How high a slope must be, as a share of that of usual beats: for a beat, for one where a beat
seems left out, and for a place to be looked at at all. Tuned on the 22 records of MIT-BIH's DS1."""
_EDGE_S = 0.07
"""A beat whose peak lies so near to where no lead shows anything is not looked at: part of it is
not there, and the edge may be the peak."""
_AFTER_S = 0.4
"""After that place a low peak may be the T wave of a beat within it."""
_ALWAYS = 0.95
"""A lead that shows nothing for so much of the time is not looked at."""
_AROUND_S = 6.0
"""What is a high slope is measured among that much of the recording on both sides."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BeatsFound:
    """When beats are, and how far they stand out of what lies between them."""

    at_s: NDArray[np.float64]
    """The peak of each, in seconds from the beginning, ascending."""
    noise: float
    """The slope between beats as a share of that in them, in the clearest lead: about 0.1 where
    the lead is quiet, 0.6 and more where there are no beats but noise."""
    silent_s: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    """From when to when no lead that was looked at shows anything: no beat can be found there."""


def find_beats(recording: Recording) -> BeatsFound:
    """Every beat of the recording, at whatever rate; none where no lead shows anything.

    >>> flat = Recording(signal=np.zeros((1, 3600), np.float32), rate_hz=360.0, leads=("II",))
    >>> find_beats(flat).at_s.tolist()
    []
    """
    looked_at = [lead_at(recording, row, to_hz=RATE_HZ) for row in showing(recording)]
    leads, masks = [lead for lead, _ in looked_at], [mask for _, mask in looked_at]
    if not leads or len(leads[0]) < RATE_HZ:
        return BeatsFound(at_s=np.empty(0), noise=1.0)
    bands = [_band(lead) for lead in leads]
    energies = [_energy(band, mask) for band, mask in zip(bands, masks, strict=True)]
    noises = np.array([_noise(each, mask) for each, mask in zip(energies, masks, strict=True)])
    # The clearer lead decides.
    weights = 1.0 / np.maximum(noises, 0.05) ** 2
    silent = nothing_shown(masks)
    found = _peaks(_weighted(energies, weights, masks), silent)
    at = _centred(found, bands)
    return BeatsFound(
        at_s=np.asarray(at / RATE_HZ, np.float64),
        noise=float(noises.min()),
        silent_s=spans_s(silent, rate_hz=RATE_HZ),
    )


def showing(recording: Recording) -> list[int]:
    """The rows of leads that show anything; of many the first few, for all see the same beats."""
    rows = [
        row
        for row, lead in enumerate(recording.signal)
        if (recording.missing[row] if recording.missing else 0.0) < 0.5
        and recording.silent_share(row) < _ALWAYS
        and float(np.ptp(lead[:: max(1, len(lead) // 10000)])) > 0.02
    ]
    return rows[:LEADS_USED]


def silent_s(recording: Recording) -> NDArray[np.float64]:
    """From when to when no lead that beats are looked for in shows anything, in seconds [n, 2]."""
    if not recording.silent:
        return np.empty((0, 2))
    masks = [lead_at(recording, row, to_hz=RATE_HZ)[1] for row in showing(recording)]
    return spans_s(nothing_shown(masks), rate_hz=RATE_HZ)


def nothing_shown(masks: Sequence[Mask | None]) -> Mask | None:
    """Where all of the leads show nothing; None where at least one always shows something."""
    given = [mask for mask in masks if mask is not None]
    if not given or len(given) < len(masks):
        return None
    silent = np.logical_and.reduce(given)
    return silent if silent.any() else None


def _weighted(energies: list[Lead], weights: NDArray[np.float64], masks: list[Mask | None]) -> Lead:
    """The energy of all leads together; each counts only where it shows something."""
    if all(mask is None for mask in masks):
        return np.asarray(np.average(energies, axis=0, weights=weights))
    total, weight = np.zeros(len(energies[0])), np.zeros(len(energies[0]))
    for energy, own, mask in zip(energies, weights, masks, strict=True):
        share = own if mask is None else np.where(mask, 0.0, own)
        total += share * energy
        weight += share
    return np.asarray(total / np.maximum(weight, 1e-9))


def _band(lead: Lead) -> Lead:
    above = filtered(lead, low_pass(_BAND_HZ[1], rate_hz=RATE_HZ))
    return np.asarray(above - filtered(above, low_pass(_BAND_HZ[0], rate_hz=RATE_HZ)), np.float32)


def _energy(band: Lead, mask: Mask | None) -> Lead:
    """Root of the mean squared slope over the width of a beat, 1 at a beat of usual height."""
    slope = np.gradient(band).astype(np.float32)
    energy = np.sqrt(moving_mean(slope * slope, round(_INTEGRATED_S * RATE_HZ)))
    return np.asarray(energy / np.maximum(_usual_height(energy, mask), 1e-5), np.float32)


def _noise(energy: Lead, mask: Mask | None) -> float:
    if mask is not None and not mask.all():
        energy = energy[~mask]
    return float(np.quantile(energy[:: max(1, len(energy) // 200_000)], 0.6))


def _usual_height(energy: Lead, mask: Mask | None) -> Lead:
    """How high beats are round each place: the median of the highest in each 1.5 s."""
    width = round(1.5 * RATE_HZ)
    blocks = -(-len(energy) // width)
    padded = np.pad(energy, (0, blocks * width - len(energy)), mode="edge")
    highest = padded.reshape(blocks, width).max(1)
    if mask is not None:
        highest = _told_by_neighbours(highest, np.pad(mask, (0, len(padded) - len(mask))), width)
    side = max(1, round(_AROUND_S / 1.5))
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(highest, side, mode="reflect" if blocks > side else "edge"), 2 * side + 1
    )
    usual = np.median(windows, axis=1)
    # After a great disturbance its height must not stand for that of beats.
    usual = np.minimum(usual, 3.0 * np.median(highest))
    usual = np.maximum(usual, 0.2 * np.median(highest))
    centres = (np.arange(blocks) + 0.5) * width
    return np.asarray(np.interp(np.arange(len(energy)), centres, usual), np.float32)


def _told_by_neighbours(highest: Lead, mask: Mask, width: int) -> Lead:
    """The heights with those of the nearest others where half of a block shows nothing."""
    told = mask.reshape(-1, width).mean(1) < 0.5
    if not told.any():
        return highest
    places = np.arange(len(highest))
    return np.asarray(np.interp(places, places[told], highest[told]), np.float32)


def _peaks(energy: Lead, silent: Mask | None) -> NDArray[np.int64]:
    candidates = _local_maxima(energy, apart=round(_REFRACTORY_S * RATE_HZ))
    low = candidates
    if silent is not None:
        edge, after = round(_EDGE_S * RATE_HZ), round(_AFTER_S * RATE_HZ)
        candidates = candidates[~widened(silent, before=edge, after=edge)[candidates]]
        low = candidates[~widened(silent, before=edge, after=after)[candidates]]
    chosen = _without_t_waves(candidates[energy[candidates] > _HEIGHT], energy)
    return _looked_back(chosen, low, energy)


def _local_maxima(energy: Lead, *, apart: int) -> NDArray[np.int64]:
    """Places that nothing within `apart` exceeds."""
    inner = energy[1:-1]
    highest = (inner >= energy[:-2]) & (inner > energy[2:]) & (inner > _LEAST_HEIGHT)
    places = np.flatnonzero(highest) + 1
    order = np.argsort(-energy[places], kind="stable")
    taken = np.zeros(len(energy) + 2 * apart, bool)
    kept = []
    for place in places[order].tolist():
        if not taken[place + apart]:
            kept.append(place)
            taken[place + 1 : place + 2 * apart] = True
    return np.array(sorted(kept), np.int64)


def _without_t_waves(chosen: NDArray[np.int64], energy: Lead) -> NDArray[np.int64]:
    """A low peak soon after a high one is its T wave."""
    kept: list[int] = []
    for place in chosen.tolist():
        if kept:
            gap_s = (place - kept[-1]) / RATE_HZ
            if gap_s < _T_WAVE_S and energy[place] < 0.5 * energy[kept[-1]]:
                continue
        kept.append(place)
    return np.array(kept, np.int64)


def _looked_back(
    chosen: NDArray[np.int64], candidates: NDArray[np.int64], energy: Lead
) -> NDArray[np.int64]:
    """Where a beat seems to be left out, the highest of the lower peaks in the gap is one."""
    margin = _T_WAVE_S * RATE_HZ
    found = chosen.tolist()
    for _ in range(3):
        if len(found) < 3:
            break
        gaps = np.diff(found)
        near = np.lib.stride_tricks.sliding_window_view(np.pad(gaps, 8, mode="reflect"), 17)
        usual = np.median(near, axis=1)
        added = []
        for i in np.flatnonzero(gaps > 1.5 * usual):
            inside = candidates[
                (candidates > found[i] + margin) & (candidates < found[i + 1] - margin)
            ]
            if len(inside):
                best = int(inside[np.argmax(energy[inside])])
                if energy[best] > _LOOKED_BACK_HEIGHT:
                    added.append(best)
        if not added:
            break
        found = sorted(found + added)
    return np.array(found, np.int64)


def _centred(places: NDArray[np.int64], bands: list[Lead]) -> NDArray[np.int64]:
    """Each place moved to the greatest deflection near it, of all leads together."""
    if not len(places):
        return places
    reach = round(0.08 * RATE_HZ)
    total = np.sum([np.abs(band) / max(float(np.std(band)), 1e-6) for band in bands], axis=0)
    padded = np.pad(total, reach)
    windows = padded[places[:, None] + np.arange(2 * reach + 1)]
    return np.unique(places + windows.argmax(1) - reach)
