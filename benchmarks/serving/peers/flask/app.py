"""Flask behind gunicorn: gunicorn --workers 2 --threads 1 app:app."""

import io
import os

import numpy as np
import onnxruntime as ort
from flask import Flask, request
from PIL import Image

options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
labels = os.environ["LABELS"].split(",")
side = int(os.environ["SIDE"])

app = Flask(__name__)


@app.post("/read")
def read():
    image = Image.open(io.BytesIO(request.get_data())).convert("RGB")
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))
    logits = session.run(["logits"], {"image": pixels[np.newaxis]})[0][0]
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    best = int(chances.argmax())
    return {"label": labels[best], "probability": float(chances[best])}
