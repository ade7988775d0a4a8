"""Webhooks: events of cases, posted to addresses of the site in the form of Standard Webhooks."""
