"""A pack's network on another server, by the Open Inference Protocol v2.

Triton, KServe, MLServer and Ray Serve speak it, and so does another `firstread serve`. The server
is given the prepared tensor and gives back the network's raw outputs; decoding, quality,
calibration and familiarity stay here. So the read is the same, whoever runs `model.onnx`.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from firstread.connect.inference.addresses import Address
from firstread.connect.line import Answered, Line
from firstread.domain.errors import Unreachable
from firstread.packs import Manifest
from firstread.runtime.kinds import KINDS

_MAX_BYTES = 32 * 2**20
_BINARY = "binary_tensor_data"
_HEADER_LENGTH = "Inference-Header-Content-Length"


class OpenInference:
    """The network of the pack `manifest` at one address; threads may share it.

    Opening it asks the server what it is, and raises Unreachable where it does not say. `token`
    is sent as a bearer token. Each request ends after `timeout_s`.

        network = OpenInference(address_of("http://one:8080"), manifest=manifest, timeout_s=5)
        reader = open_reader(folder, network=lambda _manifest: network)
    """

    def __init__(
        self, address: Address, *, manifest: Manifest, timeout_s: float, token: str = ""
    ) -> None:
        self._host = address.host
        self._manifest = manifest
        self._timeout_s = timeout_s
        model = f"/v2/models/{quote(address.model or manifest.name, safe='')}"
        version = f"/versions/{quote(address.version, safe='')}" if address.version else ""
        self._path = f"{model}{version}/infer"
        self._line = Line(address.base, host=address.host, token=token)
        said = self._server()
        extensions = said.get("extensions")
        self._binary = isinstance(extensions, list) and _BINARY in extensions
        named = f"{_plain(said.get('name'))} {_plain(said.get('version'))}".strip()
        self._runtime = f"{named or 'a server'} at {self._host}"
        self._version: object = None

    @property
    def runtime(self) -> str:
        """What the server says that it is, and where, such as 'mlserver 1.7.1 at one:8080'."""
        return self._runtime

    def run(self, batch: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Each output by name, float32 with N first, for uint8 [N, H, W, 3] or float32 [N, F].

        NaN stands for a missing measurement. Raises Unreachable where the server does not answer,
        or not with finite numbers in the shapes that the pack's network gives.
        """
        name = KINDS[self._manifest.kind].input
        body, headers = _asked(batch, name=name, binary=self._binary)
        answered = self._line.ask(
            "POST",
            self._path,
            timeout_s=self._timeout_s,
            max_bytes=_MAX_BYTES,
            headers=headers,
            body=body,
        )
        if answered.status != 200:
            raise Unreachable(f"{self._host} {_refused(answered.status, path=self._path)}.")
        try:
            outputs, version = _outputs(answered)
            self._refuse_other_version(version)
            _refuse_other_forms(outputs, count=len(batch), manifest=self._manifest)
        except ValueError as error:
            raise Unreachable(f"{self._host} answers with {error}.") from None
        return outputs

    def _refuse_other_version(self, version: object) -> None:
        """The golden samples were answered by the first version, and say nothing of another."""
        if self._version not in (None, version):
            raise ValueError(f"version {_plain(version) or 'none'} of the model, which is new")
        self._version = version

    def _server(self) -> dict[str, Any]:
        """What the server says of itself; nothing where a gateway hides it."""
        answered = self._line.ask("GET", "/v2", timeout_s=self._timeout_s, max_bytes=_MAX_BYTES)
        if answered.status in (404, 405):
            return {}
        if answered.status != 200:
            raise Unreachable(f"{self._host} {_refused(answered.status, path='/v2')}.")
        try:
            said = json.loads(answered.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Unreachable(f"{self._host} does not speak the Open Inference Protocol.")
        return said


def _plain(said: object) -> str:
    """A name or version as it may stand in a read; strangers' words do not go further."""
    return (
        "".join(re.findall(r"[\w.+-]", said, flags=re.ASCII))[:40] if isinstance(said, str) else ""
    )


def _refused(status: int, *, path: str) -> str:
    if status in (401, 403):
        return "does not let us in: give its token by FIRSTREAD_READING_TOKEN"
    if status == 404 and path != "/v2":
        return f"has no {path.removesuffix('/infer')}: name the model that it has in the address"
    return f"answers with {status}"


def _asked(batch: NDArray[Any], *, name: str, binary: bool) -> tuple[bytes, dict[str, str]]:
    """Body and headers of the request."""
    image = batch.dtype == np.uint8
    tensor: dict[str, Any] = {
        "name": name,
        "shape": list(batch.shape),
        "datatype": "UINT8" if image else "FP32",
    }
    if not binary:
        values = batch.ravel().tolist()
        # JSON has no NaN; null is what numpy and others take for it.
        tensor["data"] = values if image else [None if math.isnan(x) else x for x in values]
        return _json({"inputs": [tensor]}), {"Content-Type": "application/json"}
    raw = np.ascontiguousarray(batch, dtype="|u1" if image else "<f4").tobytes()
    tensor["parameters"] = {"binary_data_size": len(raw)}
    head = _json({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    headers = {"Content-Type": "application/octet-stream", _HEADER_LENGTH: str(len(head))}
    return head + raw, headers


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _outputs(answered: Answered) -> tuple[dict[str, NDArray[np.float32]], object]:
    """The tensors of an answer by name, and the version of the model that gave them.

    Raises ValueError, whose text completes 'answers with'.
    """
    length = answered.headers.get(_HEADER_LENGTH.lower(), "")
    head = (
        answered.body[: int(length)] if length.isdecimal() and len(length) < 12 else answered.body
    )
    raw = answered.body[len(head) :]
    try:
        said = json.loads(head)
        tensors = [(each["name"], each) for each in said["outputs"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("what is no answer of the Open Inference Protocol") from None
    found: dict[str, NDArray[np.float32]] = {}
    for name, tensor in tensors:
        size = _binary_size(tensor)
        if size is not None and size > len(raw):
            raise ValueError("less than it announces")
        piece, raw = (None, raw) if size is None else (raw[:size], raw[size:])
        if isinstance(name, str):
            found[name] = _tensor(tensor, raw=piece)
    return found, said.get("model_version")


def _binary_size(tensor: dict[str, Any]) -> int | None:
    parameters = tensor.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise ValueError("a tensor of no size")
    return size


def _tensor(tensor: dict[str, Any], *, raw: bytes | None) -> NDArray[np.float32]:
    shape, datatype = tensor.get("shape"), tensor.get("datatype")
    if datatype != "FP32":
        raise ValueError(f"a tensor of {_plain(datatype) or 'no type'} in place of FP32")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("a tensor without a shape")
    if raw is not None:
        if len(raw) != 4 * math.prod(shape):
            raise ValueError("a tensor that does not fill its shape")
        return np.frombuffer(raw, dtype="<f4").reshape(shape).astype(np.float32)
    try:
        values = np.asarray(tensor.get("data"))
    except (ValueError, RecursionError):
        raise ValueError("a tensor that is no row of numbers") from None
    if values.dtype.kind not in "fiu" or values.size != math.prod(shape):
        raise ValueError("a tensor that does not fill its shape with numbers")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
        return values.astype(np.float32).reshape(shape)


def _refuse_other_forms(
    outputs: dict[str, NDArray[np.float32]], *, count: int, manifest: Manifest
) -> None:
    """Raises ValueError where the outputs are not those of the pack's network."""
    kind = KINDS[manifest.kind]
    known = {"N": count, "K": len(manifest.labels), "F": len(manifest.measurements)}
    forms = {
        name: tuple(known.get(axis, -1) for axis in axes) for name, axes in kind.outputs.items()
    }
    needed = set(kind.needed)
    if manifest.familiarity is not None and manifest.familiarity.on == "embedding":
        needed.add("embedding")
    for name in sorted(needed - set(outputs)):
        raise ValueError(f"no '{name}'")
    for name in list(outputs):
        if name not in forms:
            del outputs[name]  # another server may give more, which no read holds
            continue
        shape, form = outputs[name].shape, forms[name]
        fits = len(shape) == len(form) and all(
            f in (-1, n) for f, n in zip(form, shape, strict=True)
        )
        if not fits or 0 in shape:
            raise ValueError(f"'{name}' in another shape than the pack's")
        if not np.isfinite(outputs[name]).all():
            raise ValueError(f"'{name}' that is no number")
