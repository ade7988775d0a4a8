"""LitServe: two workers, each with the model, behind two HTTP processes."""

import base64
import io
import os

import litserve as ls
import numpy as np
import onnxruntime as ort
from PIL import Image


class Reader(ls.LitAPI):
    def setup(self, device):  # noqa: ARG002  litserve's signature
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(
            os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
        )
        self.labels = os.environ["LABELS"].split(",")
        self.side = int(os.environ["SIDE"])

    def decode_request(self, request):
        image = Image.open(io.BytesIO(base64.b64decode(request["image"]))).convert("RGB")
        return np.asarray(image.resize((self.side, self.side), Image.Resampling.BILINEAR))

    def predict(self, pixels):
        return self.session.run(["logits"], {"image": pixels[np.newaxis]})[0][0]

    def encode_response(self, logits):
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        best = int(chances.argmax())
        return {"label": self.labels[best], "probability": float(chances[best])}


if __name__ == "__main__":
    server = ls.LitServer(
        Reader(api_path="/read"), accelerator="cpu", workers_per_device=2, fast_queue=True
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        generate_client_file=False,
        log_level="warning",
    )
