# SPDX-License-Identifier: GPL-2.0-or-later
"""Prometheus' text format, read as simply as can be; and the programs of its makers, where this machine has them."""
import os
import re
import shutil
import time

from vmad import TOP_SRCDIR

SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')
PEERS = os.path.join(TOP_SRCDIR, 'build/peers/usr/bin')     # where contrib/ci/packages.sh unpacks them


def program(name):
    """Its path, or None."""
    return shutil.which(name, path=os.environ.get('PATH', '') + os.pathsep + PEERS)


class Scrape:
    """One scrape: samples is [(name, {label: value}, number)]."""

    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.splitlines():
            if not line.startswith('#'):
                name, labels, number = SAMPLE.fullmatch(line).groups()
                self.samples.append((name, dict(LABEL.findall(labels or '')), float(number)))

    def all(self, name):
        """[(labels, number)] of one metric."""
        return [(labels, number) for found, labels, number in self.samples if found == name]

    def get(self, name, **labels):
        """The number of the one sample with exactly these labels, or None."""
        return next((number for found, number in self.all(name) if found == labels), None)

    def names(self):
        return {name for name, _, _ in self.samples}


def scrape(vmad, headers=None):
    reply = vmad.get('/metrics', headers)
    if reply.status != 200:
        raise AssertionError(f'/metrics: {reply.status} {reply.body[:200]}')
    return Scrape(reply.text().decode())


def wait_for(vmad, holds, seconds=60):
    """Scrapes until holds(scrape) is true; returns that scrape."""
    end = time.monotonic() + seconds
    while True:
        found = scrape(vmad)
        if holds(found):
            return found
        if time.monotonic() > end:
            raise AssertionError(f'not so within {seconds} s; the last scrape:\n{found.text}')
        time.sleep(0.1)
