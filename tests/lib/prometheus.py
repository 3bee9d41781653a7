# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's prometheus, with contrib/prometheus as its configuration; and the expressions that we ship."""
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

import tap
from metrics import program
from vmad import TOP_SRCDIR, free_port

CONTRIB = os.path.join(TOP_SRCDIR, 'contrib/prometheus')
DASHBOARD = os.path.join(TOP_SRCDIR, 'contrib/grafana/vmad.json')
VARIABLES = {'$job': 'vmad', '$instance': '.*', '$group': '.*'}


def dashboard_expressions():
    """The PromQL of every panel, with values for its variables."""
    with open(DASHBOARD, encoding='utf-8') as file:
        panels = json.load(file)['panels']
    for panel in panels:
        for target in panel.get('targets', []):
            expression = target['expr']
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield panel['title'], expression


def metrics_of(expression):
    """The names of metrics in an expression, and of what rules record."""
    bare = re.sub(r'"[^"]*"', '', expression)
    return set(re.findall(r'(?<![\w:])(?:[a-z]+:)?(?:vmad|process)_\w+(?::\w+)?', bare))


def copy_rules(directory, hasty=False):
    """Our files; hasty: no alert waits, and everything happens every second."""
    for name in os.listdir(CONTRIB):
        if name.endswith('.yml'):
            with open(os.path.join(CONTRIB, name), encoding='utf-8') as file:
                text = file.read()
            if hasty:
                text = re.sub(r'\bfor: \w+', 'for: 0s', text).replace('_interval: 15s', '_interval: 1s')
            with open(os.path.join(directory, name), 'w', encoding='utf-8') as file:
                file.write(text)


class Prometheus:
    """with Prometheus('host.yml', {'127.0.0.1:8623': '127.0.0.1:4711'}) as prometheus: the file with texts replaced, and more files."""

    def __init__(self, config, replace, files=None):
        self.directory = tempfile.mkdtemp(prefix='vmad-prometheus-')
        self.port = free_port()
        self.log = []
        copy_rules(self.directory, hasty=True)
        for name, text in (files or {}).items():
            os.makedirs(os.path.dirname(os.path.join(self.directory, name)), exist_ok=True)
            with open(os.path.join(self.directory, name), 'w', encoding='utf-8') as file:
                file.write(text)
        with open(os.path.join(self.directory, config), encoding='utf-8') as file:
            text = file.read()
        for old, new in replace.items():
            tap.truth(old in text, f'{config} has no {old}')
            text = text.replace(old, new)
        with open(os.path.join(self.directory, config), 'w', encoding='utf-8') as file:
            file.write(text)
        self.process = subprocess.Popen(
            [program('prometheus'), f'--config.file={self.directory}/{config}', f'--storage.tsdb.path={self.directory}/data',
             f'--web.listen-address=127.0.0.1:{self.port}', '--log.level=warn'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ask(self, path, **query):
        """The data of an answer of its API; None while it does not answer."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=10)
        try:
            connection.request('GET', f'/api/v1/{path}?{urllib.parse.urlencode(query)}')
            reply = connection.getresponse()
            answer = json.loads(reply.read()) if reply.status != 503 else {}
        except OSError:
            return None
        finally:
            connection.close()
        if answer.get('status') == 'error':
            raise AssertionError(f'{query}: {answer["error"]}')
        return answer.get('data')

    def query(self, expression):
        """[(labels, number)]"""
        data = self.ask('query', query=expression)
        return [(one['metric'], float(one['value'][1])) for one in data['result']] if data else []

    def wait_for(self, what, holds, seconds=60):
        """Until holds() is true; returns what it said."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f'{what}: not within {seconds} s; {"".join(self.log[-5:])}')
            time.sleep(0.1)
        return found
