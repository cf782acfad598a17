"""The page for people: server-rendered, at `/console/`."""
