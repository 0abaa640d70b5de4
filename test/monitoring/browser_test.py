#!/usr/bin/env python3
"""The pages for people in a headless Chromium: the status of a cluster and of a server that train,
and a trainer's report.

    browser_test.py BUILD_DIRECTORY LONGTAIL LONGTAIL_CTR

Screenshots are left in BUILD_DIRECTORY/screenshots. Look at them after a change of a page: what is
checked here is that nothing is wrong, not that it is good.
"""
import pathlib
import shutil
import sys
import urllib.parse

from devtools import Browser
from live_cluster import Cluster, get, required, wait

LOOKS = (pathlib.Path(__file__).parent / "looks.js").read_text(encoding="utf-8")
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")


def foreign(requests, url):
    """What was asked of others than the page's own host."""
    own = urllib.parse.urlsplit(url)
    return [one for one in requests
            if urllib.parse.urlsplit(one)[:2] != own[:2] and not one.startswith("data:")
            or own.scheme == "file" and one != url and not one.startswith("data:")]


def examine(browser, url, plots, screenshots=None, seconds=2.5):
    """Problems of a page, at all widths and in both schemes."""
    browser.open(url)
    problems = []
    try:
        def has_plots():
            browser.listen(0.2)
            return browser.run("document.querySelectorAll('svg').length") >= plots
        wait(f"{plots} plots in {url}", has_plots, 20)
    except AssertionError as error:
        problems.append(str(error))
    browser.listen(seconds)  # The status page asks every two seconds.
    for width in WIDTHS:
        for scheme in SCHEMES:
            browser.look(width, scheme)
            found = browser.run(LOOKS)
            problems += [f"{width} {scheme}: {one}" for one in found["problems"]]
            if found["texts"] < 10:
                problems.append(f"{width} {scheme}: {found['texts']} texts")
            if screenshots:
                browser.screenshot(f"{screenshots}-{width}-{scheme}.png")
    problems += [f"console: {one}" for one in browser.problems]
    problems += [f"asks {one}" for one in foreign(browser.requests, url)]
    return problems


# A script that each page is to have, and what must be said of it then.
PLANTED = [
    ("setTimeout(() => { throw new Error('planted'); }, 500)", "console: Error: planted"),
    ("addEventListener('load', () => { new Image().src = 'http://192.0.2.1/planted.png'; })",
     "asks http://192.0.2.1/planted.png"),
    ("addEventListener('load', () => document.head.append(Object.assign(document.createElement("
     "'style'), {textContent: 'h1 { width: 1500px }'})))", "pixels wide"),
    ("addEventListener('load', () => document.head.append(Object.assign(document.createElement("
     "'style'), {textContent: 'h1 { color: #888 !important; background: #777 }'})))", "contrast"),
    ("addEventListener('load', () => document.head.append(Object.assign(document.createElement("
     "'style'), {textContent: 'svg { height: 5px !important }'})))", "a plot of"),
]


def check_that_mistakes_are_seen(browser, url, plots):
    for script, wanted in PLANTED:
        added = browser.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        problems = examine(browser, url, plots, seconds=1)
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])
        if not any(wanted in one for one in problems):
            raise AssertionError(f"planted, and not seen: {wanted}; seen: {problems}")
    print(f"{len(PLANTED)} planted mistakes are seen", flush=True)


def main(arguments):
    if len(arguments) != 3:
        sys.exit(__doc__)
    required({"chromium": "chromium"})
    directory = pathlib.Path(arguments[0]).resolve() / "browser"
    screenshots = directory.parent / "screenshots"
    for one in (directory, screenshots):
        shutil.rmtree(one, ignore_errors=True)
        one.mkdir(parents=True)
    problems = {}
    browser = Browser(directory)
    try:
        with Cluster(directory, *arguments[1:3], servers=2) as cluster:
            cluster.start_coordinator()
            for number in range(2):
                cluster.start_server(number)
            cluster.await_ready("coordinator", "server-0", "server-1")
            cluster.start_reader(0)
            trainer = cluster.start_trainer("--checkpoint_every", "50")
            wait("a checkpoint",
                 lambda: "longtail_snapshot_timestamp" in cluster.metrics("server-0"))
            wait("rows in the status", lambda: '"rows_by_count":[[' in get(
                cluster.admin["coordinator"], "/api/v1/status")[1])
            for name, plots in (("coordinator", 4), ("server-0", 2)):
                problems[name] = examine(browser, f"http://{cluster.admin[name]}/", plots,
                                         screenshots / name)
            check_that_mistakes_are_seen(browser, f"http://{cluster.admin['coordinator']}/", 4)
            trainer.kill()
            # A short one, to its end, without servers.
            cluster.address = ""
            report = directory / "run" / "report.html"
            shutil.rmtree(directory / "run")
            cluster.store = directory / "other-store"
            cluster.start_trainer(epochs=2, examples=30000)
            wait(f"a report; see {directory}/trainer.log", report.exists, 120)
            cluster.processes["trainer"].popen.wait(60)
            problems["report"] = examine(browser, report.as_uri(), 3, screenshots / "report")
    finally:
        browser.close()
    wrong = [f"{name}: {one}" for name, found in problems.items() for one in found]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(problems)} pages look right at {WIDTHS} pixels, {SCHEMES}; see {screenshots}")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
