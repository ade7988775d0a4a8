"""Ray Serve: two replicas behind its proxy, with the options its documentation has for speed."""

import io
import os

import numpy as np
import onnxruntime as ort
from PIL import Image
from ray import serve
from starlette.requests import Request


@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 1}, max_ongoing_requests=8)
class Reader:
    def __init__(self, *, model: str, labels: str, side: str) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.labels = labels.split(",")
        self.side = int(side)

    async def __call__(self, request: Request) -> dict[str, str | float]:
        image = Image.open(io.BytesIO(await request.body())).convert("RGB")
        pixels = np.asarray(image.resize((self.side, self.side), Image.Resampling.BILINEAR))
        logits = self.session.run(["logits"], {"image": pixels[np.newaxis]})[0][0]
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        best = int(chances.argmax())
        return {"label": self.labels[best], "probability": float(chances[best])}


app = Reader.bind(model=os.environ["MODEL"], labels=os.environ["LABELS"], side=os.environ["SIDE"])
