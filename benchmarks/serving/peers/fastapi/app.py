"""FastAPI behind uvicorn: uvicorn --workers 2 app:app."""

import io
import os

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI, Request
from PIL import Image

options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
labels = os.environ["LABELS"].split(",")
side = int(os.environ["SIDE"])

app = FastAPI()


@app.post("/read")
async def read(request: Request) -> dict[str, str | float]:
    # On the event loop: one read at a time in each of the two processes. A hop to the thread pool
    # was measured slower here, because then more threads than cores share the work.
    image = Image.open(io.BytesIO(await request.body())).convert("RGB")
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))
    logits = session.run(["logits"], {"image": pixels[np.newaxis]})[0][0]
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    best = int(chances.argmax())
    return {"label": labels[best], "probability": float(chances[best])}
