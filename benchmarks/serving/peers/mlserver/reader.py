"""MLServer: a custom runtime in two parallel workers, asked by the Open Inference Protocol."""

import io
import os

import numpy as np
import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse
from PIL import Image


class Reader(MLModel):
    async def load(self) -> bool:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(
            os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
        )
        self.labels = os.environ["LABELS"].split(",")
        self.side = int(os.environ["SIDE"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (data,) = Base64Codec.decode_input(payload.inputs[0])
        image = Image.open(io.BytesIO(data)).convert("RGB")
        pixels = np.asarray(image.resize((self.side, self.side), Image.Resampling.BILINEAR))
        logits = self.session.run(["logits"], {"image": pixels[np.newaxis]})[0][0]
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        best = int(chances.argmax())
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                StringCodec.encode_output("label", [self.labels[best]]),
                NumpyCodec.encode_output("probability", chances[best : best + 1]),
            ],
        )
