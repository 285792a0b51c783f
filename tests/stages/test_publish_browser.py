"""The MLflow UI as a user sees it after `make study`: in a browser."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from pipeline.study.tracking.address import tracking_uri
from pipeline.study.tracking.publishing import publish
from tests.projects import await_server, environment

CHROMIUM = shutil.which("chromium")
PATIENCE_MILLISECONDS = 60_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ,
        reason="there is no chromium here; CI installs it and skips nothing",
    ),
]


@pytest.fixture
def address(project: Path) -> Iterator[str]:
    """Address of the study in the UI, as `publish` prints it."""
    told = str(publish(project, study="tiny"))
    (path,) = re.findall(r"http://127.0.0.1:5000(\S+)", told)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--backend-store-uri", tracking_uri(), "--port", f"{port}"]
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1", *options]
    with (project.parent / "ui.log").open("w") as log:
        ui = subprocess.Popen(command, env=environment(), stdout=log, stderr=log)
    try:
        await_server(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}{path}"
    finally:
        ui.terminate()
        ui.wait(timeout=60)


@pytest.fixture
def page() -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 2200, "height": 1000})
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        yield page
        browser.close()


def photograph(page: Page, name: str) -> None:
    """Keep a picture for whoever wants to look, if `MLFLOW_PICTURES` names a folder."""
    folder = os.environ.get("MLFLOW_PICTURES")
    if folder is not None:
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_a_user_finds_stages_curves_and_figures(page: Page, address: str) -> None:
    page.goto(address)
    stages = page.get_by_role("link")
    for stage in (
        "report",
        "compare",
        "scratch@hallway_sql",
        "sweep@sql_multigoal",
        "check",
    ):
        expect(stages.get_by_text(stage, exact=True)).to_be_visible()
    expect(stages.get_by_text("scratch@hallway_sql seed 0")).to_have_count(0)
    for column in ("final/return", "algorithm", "task"):
        expect(page.get_by_role("columnheader", name=column).first).to_be_visible()
    expect(page.get_by_text("hallway").first).to_be_visible()
    photograph(page, "run_list")

    stages.get_by_text("scratch@hallway_sql", exact=True).click()
    expect(page.get_by_text("Learn one way, from fresh networks")).to_be_visible()
    expect(page.get_by_role("link", name="scratch@hallway_sql seed 0")).to_be_visible()
    photograph(page, "stage")
    page.get_by_role("tab", name="Model metrics").click()
    expect(
        page.get_by_text("scratch@hallway_sql (evaluation/return)").first
    ).to_be_visible()
    expect(page.locator(".plot-container").first).to_be_visible()
    photograph(page, "curves")

    page.goto(address)
    stages.get_by_text("report", exact=True).click()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("figures", exact=True).click()
    page.get_by_text("curve.png", exact=True).click()
    figure = page.get_by_role("img", name="curve.png")
    expect(figure).to_be_visible()
    assert figure.evaluate("image => image.naturalWidth") == 400
    photograph(page, "figure")
    page.get_by_text("report.html", exact=True).click()
    inside = page.frame_locator("iframe")
    expect(inside.get_by_text("The report of the study")).to_be_visible()
    photograph(page, "report")
