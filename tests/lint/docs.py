#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""README.md and vmad(8) speak of what there is: every path, every option, and no other."""
import os
import re
import sys

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402


def found(pattern, path):
    """What a pattern finds in a file, sorted; never nothing."""
    with open(os.path.join(TOP_SRCDIR, path), encoding='utf-8') as file:
        names = sorted(set(re.findall(pattern, file.read(), re.M)))
    tap.truth(names, f'{pattern} finds nothing in {path}')
    return names


def readme_has_the_paths():
    """README.md's table has the paths of routes.def"""
    tap.equal(found(r'^\| `(/[^`]*)` \|', 'README.md'), found(r'^ROUTE\(\w+, \w+, "([^"]+)"', 'include/vmad/routes.def'), 'paths')


def the_manual_has_the_options():
    """vmad(8) has the options of vmad"""
    tap.equal(found(r'^\.It Fl -([a-z-]+)', 'daemon/vmad.8'), found(r'^\t\{ "([a-z-]+)", (?:"|NULL)', 'daemon/options.c'), 'options')


tap.run([readme_has_the_paths, the_manual_has_the_options])
