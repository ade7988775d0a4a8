"""Pictures of nothing that is read here, drawn: pages of text, ECG print-outs, charts, patterns."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from firstread.phantom.ecg import signal_of

_WORDS = (
    "report", "patient", "normal", "of", "the", "without", "findings", "left", "right",
    "clinical", "history", "heart", "lung", "size", "clear", "no", "acute", "signed", "date",
    "name", "request", "please", "see", "below", "12", "37", "2024", "mmol/l", "µg",
    "haemoglobin",
)  # fmt: skip


def draw(rng: np.random.Generator) -> Image.Image:
    """One picture, drawn by chance."""
    ways = (_text, _text, _recording, _recording, _chart, _shapes, _gradient, _noise, _screen)
    return ways[int(rng.integers(len(ways)))](rng)


def _paper(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    light = int(rng.integers(200, 256))
    tint = tuple(int(np.clip(light + rng.integers(-15, 6), 0, 255)) for _ in range(3))
    return Image.new("RGB", size, tint)


def _text(rng: np.random.Generator) -> Image.Image:
    width, height = int(rng.integers(300, 700)), int(rng.integers(300, 900))
    dark = rng.random() < 0.15
    page = Image.new("RGB", (width, height), (20, 20, 30)) if dark else _paper(rng, (width, height))
    pen = ImageDraw.Draw(page)
    ink = (230, 230, 230) if dark else tuple(int(each) for each in rng.integers(0, 90, 3))
    font = ImageFont.load_default(size=float(rng.integers(9, 34)))
    line_px = int(font.size * rng.uniform(1.1, 1.9))
    for y in range(int(rng.integers(5, 60)), height - line_px, line_px):
        if rng.random() < 0.12:
            continue
        words = " ".join(rng.choice(_WORDS, int(rng.integers(2, 14))))
        pen.text((int(rng.integers(5, 40)), y), words, fill=ink, font=font)
    return page


def _recording(rng: np.random.Generator) -> Image.Image:
    """An electrocardiogram on its paper, as a scanner or a screen shows it."""
    width, height = int(rng.integers(400, 1000)), int(rng.integers(240, 700))
    dark = rng.random() < 0.15
    page = Image.new("RGB", (width, height), (0, 0, 0)) if dark else _paper(rng, (width, height))
    pen = ImageDraw.Draw(page)
    grid = [(0, 60, 0), (250, 190, 190), (240, 150, 160), (190, 220, 200), (210, 210, 210)]
    tint = grid[0] if dark else grid[int(rng.integers(1, len(grid)))]
    small = float(rng.uniform(4, 12))
    if rng.random() < 0.9:
        for number in range(int(max(width, height) / small) + 1):
            at, wide = int(number * small), 2 if number % 5 == 0 else 1
            if number % 5 and small < 6:
                continue
            pen.line((at, 0, at, height), fill=tint, width=wide)
            pen.line((0, at, width, at), fill=tint, width=wide)
    leads = int(rng.integers(1, 7))
    label = str(rng.choice(["N", "S", "V"]))
    signal = signal_of(label, rng, length_s=float(rng.uniform(3, 10)))
    ink = (90, 255, 120) if dark else tuple(int(each) for each in rng.integers(0, 80, 3))
    for number in range(leads):
        lead = signal[number % 2]
        x = np.linspace(0, width, len(lead))
        y = height * (number + 0.5) / leads - lead * height / leads / 3.5
        points = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        pen.line(points, fill=ink, width=int(rng.integers(1, 3)))
    return page


def _chart(rng: np.random.Generator) -> Image.Image:
    width, height = int(rng.integers(250, 600)), int(rng.integers(250, 600))
    page = _paper(rng, (width, height))
    pen = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(1, 5))):
        ink = tuple(int(each) for each in rng.integers(0, 230, 3))
        if rng.random() < 0.5:
            y = np.cumsum(rng.normal(0, height / 25, 40)) + height * rng.uniform(0.2, 0.8)
            points = list(zip(np.linspace(30, width, 40), y, strict=True))
            pen.line([(float(a), float(b)) for a, b in points], fill=ink, width=2)
        else:
            for x in range(40, width - 20, int(rng.integers(20, 60))):
                top = float(rng.uniform(0.1, 0.9) * (height - 40))
                pen.rectangle((x, top, x + 14, height - 30), fill=ink)
    pen.line((30, 10, 30, height - 30, width, height - 30), fill=(0, 0, 0), width=2)
    return page


def _shapes(rng: np.random.Generator) -> Image.Image:
    width, height = int(rng.integers(64, 400)), int(rng.integers(64, 400))
    page = Image.new("RGB", (width, height), tuple(int(each) for each in rng.integers(0, 256, 3)))
    pen = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(2, 30))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        a, b = rng.uniform(4, width / 2), rng.uniform(4, height / 2)
        ink = tuple(int(each) for each in rng.integers(0, 256, 3))
        way = pen.rectangle if rng.random() < 0.5 else pen.ellipse
        way((x, y, x + a, y + b), fill=ink)
    return page


def _gradient(rng: np.random.Generator) -> Image.Image:
    """Light that changes slowly, in colours of any kind: skies, walls, skin out of focus."""
    few = rng.integers(0, 256, (int(rng.integers(2, 7)), int(rng.integers(2, 7)), 3), np.uint8)
    if rng.random() < 0.3:
        few = np.repeat(few[:, :, :1], 3, axis=2)
    return Image.fromarray(few).resize((200, 200), Image.Resampling.BICUBIC)


def _noise(rng: np.random.Generator) -> Image.Image:
    side = int(rng.integers(8, 128))
    grains = rng.normal(rng.uniform(60, 200), rng.uniform(20, 90), (side, side, 3))
    if rng.random() < 0.5:
        grains = np.repeat(grains[:, :, :1], 3, axis=2)
    grains = np.clip(grains, 0, 255).astype(np.uint8)
    return Image.fromarray(grains).resize((200, 200), Image.Resampling.BILINEAR)


def _screen(rng: np.random.Generator) -> Image.Image:
    """A window of a program: bars, boxes, words."""
    page = _text(rng)
    pen = ImageDraw.Draw(page)
    ink = tuple(int(each) for each in rng.integers(0, 256, 3))
    pen.rectangle((0, 0, page.width, int(rng.integers(20, 70))), fill=ink)
    if rng.random() < 0.6:
        pen.rectangle((0, 0, int(rng.integers(40, 160)), page.height), fill=ink)
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(0, page.width), rng.uniform(60, page.height)
        ink = tuple(int(each) for each in rng.integers(0, 256, 3))
        pen.rectangle((x, y, x + rng.uniform(30, 200), y + rng.uniform(15, 120)), fill=ink)
    return page
