"""The ASGI application that uvicorn serves."""

import os
import warnings

from django.conf import settings
from django.core.asgi import get_asgi_application

from firstread.server.limit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "firstread.server.settings")
# WhiteNoise sends its files by a plain iterator, which Django reads in a thread: right for files.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
application = BodyLimit(
    get_asgi_application(),  # type: ignore[arg-type]  # ASGI's own types say the same otherwise
    most_bytes=settings.FIRSTREAD.server.upload_mb * 2**20,
)
