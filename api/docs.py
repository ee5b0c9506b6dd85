"""`/docs`: the OpenAPI document to be browsed and tried out, with nothing from elsewhere."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse

ASSETS = "/docs/assets"
# FastAPI's page begins Swagger UI with a script of its own, which draws small pictures from `data:`.
ONLY_OURS = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


def add(app: FastAPI) -> None:
    app.add_api_route("/docs", _page, include_in_schema=False)
    app.mount(ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]))


async def _page() -> HTMLResponse:
    answer = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Keiyaku",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    answer.headers["Content-Security-Policy"] = ONLY_OURS
    return answer
