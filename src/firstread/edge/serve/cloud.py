"""What a cloud says to its container: where to listen, on which routes, which packs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from firstread.domain.errors import BadConfiguration
from firstread.edge.serve.settings import ServeSettings

SAGEMAKER_MODELS = "/opt/ml/model"
"""Where SageMaker unpacks the model's archive."""


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """One cloud's wishes; its container is reached from outside, so the host is every address."""

    name: str
    host: str = "0.0.0.0"  # noqa: S104  `refuse_unguarded` still wants a token, or a word for none
    port: int | None = None
    models: str | None = None
    """The folder, or the address of a bucket, that holds the packs."""
    health_route: str | None = None
    predict_route: str | None = None


def cloud_of(env: Mapping[str, str]) -> Cloud | None:
    """The cloud that set this environment; None where none did.

    Sources: SageMaker, "Custom Inference Code with Hosting Services"; Vertex AI, "Custom container
    requirements"; Azure ML, "Use a custom container to deploy a model to an online endpoint".

    >>> cloud_of({"AIP_HTTP_PORT": "8080", "AIP_PREDICT_ROUTE": "/predict"}).predict_route
    '/predict'
    >>> cloud_of({"SAGEMAKER_BIND_TO_PORT": "8081"}).port
    8081
    >>> cloud_of({"HOME": "/root"}) is None
    True
    """
    if "AIP_HTTP_PORT" in env or "AIP_PREDICT_ROUTE" in env:
        return Cloud(
            name="Vertex AI",
            port=_port(env, "AIP_HTTP_PORT"),
            models=env.get("AIP_STORAGE_URI") or None,
            health_route=_route(env, "AIP_HEALTH_ROUTE"),
            predict_route=_route(env, "AIP_PREDICT_ROUTE"),
        )
    if "SAGEMAKER_BIND_TO_PORT" in env:
        port = _port(env, "SAGEMAKER_BIND_TO_PORT")
        return Cloud(name="SageMaker", port=port, models=SAGEMAKER_MODELS)
    if "AZUREML_MODEL_DIR" in env:
        return Cloud(name="Azure ML", models=env["AZUREML_MODEL_DIR"] or None)
    return None


def settled(settings: ServeSettings, *, cloud: Cloud, said: Collection[str]) -> ServeSettings:
    """The settings as the cloud wishes them, but for those that a person has `said`."""
    wishes: dict[str, object] = {"host": cloud.host, "port": cloud.port or settings.port}
    return replace(
        settings,
        health_route=cloud.health_route,
        predict_route=cloud.predict_route,
        **{name: value for name, value in wishes.items() if name not in said},  # type: ignore[arg-type]  # fields
    )


def _port(env: Mapping[str, str], name: str) -> int | None:
    said = env.get(name, "").strip()
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and 0 <= int(said[:6]) <= 65535):
        raise BadConfiguration(f"{name} must be a port from 0 to 65535, not '{said[:20]}'.")
    return int(said)


def _route(env: Mapping[str, str], name: str) -> str | None:
    said = env.get(name, "").strip()
    if not said:
        return None
    if not said.startswith("/") or any(sign in said for sign in "{}?# "):
        raise BadConfiguration(f"{name} must be a path that begins with '/', not '{said[:60]}'.")
    return said
