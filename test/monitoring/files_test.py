#!/usr/bin/env python3
"""The files of k8s/monitoring fit one another, the runbook and what they watch.

    files_test.py ROOT
"""
import json
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop()).resolve() if len(sys.argv) > 1 else pathlib.Path.cwd()
FOLDER = ROOT / "k8s" / "monitoring"
BASE = ROOT / "k8s" / "base"
# Pages of the runbook that come with the manifests of the base.
OF_THE_BASE = {"ceph-away.md", "hot-partition.md", "memory-full.md", "node-lost.md", "restore.md",
               "scale.md", "upgrade.md"}


def is_to_come(page):
    return page.name in OF_THE_BASE and not BASE.is_dir()


def text(name):
    return (FOLDER / name).read_text(encoding="utf-8")


class MonitoringFiles(unittest.TestCase):
    def test_the_object_holds_the_rules_of_the_file(self):
        rules = text("rules.yaml").split("\n")
        of_object = text("prometheusrule.yaml").split("\n")
        self.assertEqual(["  " + line if line else line for line in rules[rules.index("groups:"):]],
                         of_object[of_object.index("spec:") + 1:])

    def test_each_alert_is_whole_and_has_its_page(self):
        alerts = text("rules.yaml").split("- alert: ")[1:]
        self.assertGreaterEqual(len(alerts), 15)
        for alert in alerts:
            name = alert.split("\n")[0]
            with self.subTest(name):
                self.assertRegex(name, r"^Longtail[A-Z]\w+$")
                self.assertRegex(alert, r"labels: \{severity: (critical|warning)\}")
                for annotation in ("summary", "description", "runbook_url"):
                    self.assertIn(f"          {annotation}: ", alert)
                page = ROOT / re.search(r"runbook_url: (docs/runbook/[a-z-]+\.md)\n", alert)[1]
                self.assertTrue(page.is_file() or is_to_come(page), page)

    def test_each_alert_is_on_its_page(self):
        for found in re.finditer(r"- alert: (\w+)(?:.|\n)*?runbook_url: (\S+)\n",
                                 text("rules.yaml")):
            page = ROOT / found[2]
            if page.name in OF_THE_BASE:
                continue  # They say what to do about a thing, whoever saw it.
            with self.subTest(found[1]):
                self.assertIn(f"`{found[1]}`", page.read_text(encoding="utf-8"))

    def test_pages_of_the_runbook_link_to_files(self):
        for page in (ROOT / "docs" / "runbook").glob("*.md"):
            for link in re.findall(r"\]\(([\w./-]+)(?:#[\w-]*)?\)",
                                   page.read_text(encoding="utf-8")):
                with self.subTest(f"{page.name}: {link}"):
                    file = page.parent / link
                    self.assertTrue(file.is_file() or is_to_come(file))

    def test_names_in_rules_and_panels_are_explained(self):
        explained = set(re.findall(r"`((?:longtail|process)_\w+)",
                                   (ROOT / "docs" / "METRICS.md").read_text(encoding="utf-8")))
        dashboard = json.loads(text("dashboard.json"))
        queries = [target["expr"] for panel in dashboard["panels"]
                   for target in panel.get("targets", [])]
        expressions = re.sub(r"(?m)^ *(- alert|for|labels|summary|description|runbook_url):.*", "",
                             text("rules.yaml").split("groups:")[1])
        for name in re.findall(r"\b(?:longtail|process)_\w+", expressions + "\n".join(queries)):
            self.assertIn(re.sub(r"_seconds_bucket$", "_seconds", name), explained)

    def test_panels_fit_their_rows(self):
        panels = json.loads(text("dashboard.json"))["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24)
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells

    def test_the_monitor_selects_the_pods_of_the_base(self):
        monitor = text("podmonitor.yaml")
        self.assertIn("app.kubernetes.io/part-of: longtail", monitor)
        self.assertIn("- port: admin\n", monitor)
        if not BASE.is_dir():
            self.skipTest("there is no k8s/base")
        for name, file in (("longtail-server", "servers.yaml"),
                           ("longtail-coordinator", "coordinator.yaml"),
                           ("longtail-reader", "readers.yaml")):
            with self.subTest(name):
                pods = (BASE / file).read_text(encoding="utf-8")
                self.assertIn(f"app.kubernetes.io/name: {name}", pods)
                self.assertIn("- name: admin\n", pods)


if __name__ == "__main__":
    unittest.main()
