"""Which paths need a token, whether or not there is anything."""

from __future__ import annotations

PUBLIC_POSTS = ("/v1/applications", "/v1/billing", "/v1/memberships", "/v1/sessions", "/dev/v1/clock")
PUBLIC = (*PUBLIC_POSTS, "/v1/catalogue")
MAY_HAVE_TOKEN = ("/v1/applications",)
"""A token that comes along must hold."""


def needs_token(path: str) -> bool:
    """Whether it is 401 without one."""
    return path.startswith(("/v1/", "/operator/")) and not _is_or_is_below(path, PUBLIC)


def takes_public_posts(path: str) -> bool:
    """Whether anybody may post there, with a token or without."""
    return _is_or_is_below(path, PUBLIC_POSTS)


def _is_or_is_below(path: str, paths: tuple[str, ...]) -> bool:
    return path in paths or path.startswith(tuple(f"{parent}/" for parent in paths))
