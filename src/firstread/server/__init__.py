"""The Django project: settings, addresses, the worker loop."""
