"""BentoML: bentoml serve service:Reader, one worker a core."""

import io
import os
from pathlib import Path
from typing import Annotated

import bentoml
import numpy as np
import onnxruntime as ort
from bentoml.validators import ContentType
from PIL import Image


@bentoml.service(workers=2, resources={"cpu": "2"})
class Reader:
    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(
            os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
        )
        self.labels = os.environ["LABELS"].split(",")
        self.side = int(os.environ["SIDE"])

    @bentoml.api
    def read(self, image: Annotated[Path, ContentType("image/*")], /) -> dict[str, str | float]:
        picture = Image.open(io.BytesIO(image.read_bytes())).convert("RGB")
        size = (self.side, self.side)
        pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
        logits = self.session.run(["logits"], {"image": pixels[np.newaxis]})[0][0]
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        best = int(chances.argmax())
        return {"label": self.labels[best], "probability": float(chances[best])}
