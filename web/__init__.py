"""The files of the page for people; handlers/web.py sends them. No code of the service's own."""
