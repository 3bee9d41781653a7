#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/prometheus and contrib/grafana as promtool sees them."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from metrics import program  # noqa: E402
from prometheus import CONTRIB, DASHBOARD, copy_rules, dashboard_expressions, metrics_of  # noqa: E402
from vmad import TOP_SRCDIR  # noqa: E402

TESTS = os.path.join(TOP_SRCDIR, 'tests/prometheus/rules.yml')
TABLE = os.path.join(TOP_SRCDIR, 'include/vmad/metrics.def')


def text(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def promtool(*arguments):
    """What it said; a failure where it is not content."""
    if not program('promtool'):
        raise tap.Skip('promtool is not here')
    done = subprocess.run([program('promtool'), *arguments], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    tap.equal(done.returncode, 0, said)
    return said


def configurations():
    """the two configurations and the rules are valid"""
    for name in ('host.yml', 'fleet.yml'):
        promtool('check', 'config', '--syntax-only', os.path.join(CONTRIB, name))
    said = promtool('check', 'rules', os.path.join(CONTRIB, 'recording.yml'), os.path.join(CONTRIB, 'alerts.yml'))
    tap.truth('12 rules found' in said, said)


def alerts_fire():
    """each alert fires when it should, and not before (promtool test rules)"""
    with tempfile.TemporaryDirectory() as directory:
        copy_rules(directory)
        with open(os.path.join(directory, 'tests.yml'), 'w', encoding='utf-8') as file:
            file.write(text(TESTS))
        promtool('test', 'rules', os.path.join(directory, 'tests.yml'))


def every_alert_is_tested():
    """no alert and no recording rule is without its test"""
    alerts = re.findall(r'- alert: (\w+)', text(os.path.join(CONTRIB, 'alerts.yml')))
    tap.truth(len(alerts) == len(set(alerts)) == 12, f'{alerts}')
    tap.equal(sorted(set(alerts) - set(re.findall(r'alertname: (\w+)', text(TESTS)))), [], 'alerts')
    records = re.findall(r'record: (\S+)', text(os.path.join(CONTRIB, 'recording.yml')))
    tap.equal(sorted(set(records) - set(re.findall(r'expr: (\S+)', text(TESTS)))), [], 'records')


def known():
    """What vmad exports, what rules record, and what Prometheus knows by itself."""
    names = set(re.findall(r'^(?:GROUP|HOST|OWN)\(\w+, "(\w+)"', text(TABLE), re.M))
    return names | {f'{name}_{part}' for name in names for part in ('bucket', 'sum', 'count')} | set(
        re.findall(r'record: (\S+)', text(os.path.join(CONTRIB, 'recording.yml'))))


def rules_speak_of_what_there_is():
    """rules and dashboard ask for metrics that vmad has"""
    expressions = [*re.findall(r'expr: (.*)', text(os.path.join(CONTRIB, 'alerts.yml'))),
                   *re.findall(r'expr: (.*)', text(os.path.join(CONTRIB, 'recording.yml'))),
                   *[expression for _, expression in dashboard_expressions()]]
    asked = {name for expression in expressions for name in metrics_of(expression)}
    tap.truth(len(asked) > 25, f'{asked}')
    tap.equal(sorted(asked - known()), [], 'metrics that are none')


def dashboard_is_promql():
    """every expression of the dashboard is PromQL, by promtool"""
    rules = [{'record': 'x', 'expr': expression} for _, expression in dashboard_expressions()]
    tap.truth(len(rules) > 20, f'{len(rules)} expressions')
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'dashboard.yml')
        for i, rule in enumerate(rules):
            rule['record'] = f'panel_{i}'
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({'groups': [{'name': 'dashboard', 'rules': rules}]}, file)    # JSON is YAML
        promtool('check', 'rules', path)


def dashboard_is_whole():
    """panels have titles, places of their own and a data source that can be chosen"""
    panels = json.loads(text(DASHBOARD))['panels']
    tap.equal([panel['id'] for panel in panels], list(range(1, len(panels) + 1)), 'ids')
    taken = set()
    for panel in panels:
        place = panel['gridPos']
        cells = {(x, y) for x in range(place['x'], place['x'] + place['w']) for y in range(place['y'], place['y'] + place['h'])}
        tap.truth(panel['title'] and not cells & taken and place['x'] + place['w'] <= 24, f'{panel["title"]}: {place}')
        taken |= cells
        if panel['type'] != 'row':
            tap.equal(panel['datasource']['uid'], '${datasource}', panel['title'])


tap.run([configurations, alerts_fire, every_alert_is_tested, rules_speak_of_what_there_is, dashboard_is_promql, dashboard_is_whole])
