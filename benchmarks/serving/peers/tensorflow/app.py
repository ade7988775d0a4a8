"""The seeds' way: a Keras model, loaded once, behind Flask's development server.

As AllDS2020's server does it: decode, squash to the square, divide by 255, `model.predict`.
"""

import io
import os

import numpy as np
from flask import Flask, request
from PIL import Image
from tensorflow import keras

labels = os.environ["LABELS"].split(",")
side = int(os.environ["SIDE"])


def load() -> keras.Model:
    weights = np.load(os.environ["WEIGHTS"])
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((side, side, 3)),
            layers.ZeroPadding2D(2),
            layers.Conv2D(30, 5, activation="relu"),
            layers.ZeroPadding2D(2),
            layers.Conv2D(30, 5, activation="relu"),
            layers.MaxPooling2D(2, strides=2),
            layers.Flatten(),
            layers.Dense(2),
            layers.Activation("softmax"),
        ]
    )
    names = ("conv1", "bias1", "conv2", "bias2", "dense", "bias3")
    model.set_weights([weights[name] for name in names])
    return model


model = load()
app = Flask(__name__)


@app.post("/read")
def read():
    image = Image.open(io.BytesIO(request.get_data())).convert("RGB")
    image = image.resize((side, side), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, dtype=np.float32) / 255
    chances = model.predict(pixels[np.newaxis], verbose=0)[0]
    best = int(chances.argmax())
    return {"label": labels[best], "probability": float(chances[best])}


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
