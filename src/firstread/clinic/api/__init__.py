"""The JSON API under /api/v1."""

from ninja import NinjaAPI

api = NinjaAPI(title="Firstread", version="1", urls_namespace="api")
