#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every file of ours says under which licence it stands."""
import os
import sys
import tempfile

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402

PLACES = ['include', 'daemon', 'client', 'contrib', 'tests', '.ci']
FILES = ['Makefile.am', 'configure.ac']
SUFFIXES = ('.c', '.h', '.def', '.py', '.sh', '.mjs', '.js', '.css', '.html', '.awk', '.mk', '.8', '.1', '.in', '.service', '.socket', '.conf')
# Captured data, what npm wrote, and what is made by the build.
SKIP = {'node_modules', 'proc', 'corpus', '__pycache__', '.deps'}
NEAR_THE_TOP = 4        # lines: a script's #! and a man page's first macro may come before


def ours(top):
    """The files that need the line: sources by their name, scripts by their first two bytes."""
    yield from (name for name in FILES if os.path.exists(os.path.join(top, name)))
    for place in PLACES:
        for directory, below, files in os.walk(os.path.join(top, place)):
            below[:] = sorted(set(below) - SKIP)
            for path in (os.path.join(directory, name) for name in sorted(files)):
                if not os.path.islink(path) and (path.endswith(SUFFIXES) or script(path)):
                    yield os.path.relpath(path, top)


def script(path):
    """Does it begin with #!"""
    with open(path, 'rb') as file:
        return file.read(2) == b'#!'


def without(top):
    """The files of ours whose first lines do not hold the tag."""
    found = []
    for path in ours(top):
        with open(os.path.join(top, path), encoding='utf-8', errors='replace') as file:
            head = [file.readline() for _ in range(NEAR_THE_TOP)]
        if not any('SPDX-License-Identifier: GPL-2.0' in line for line in head):
            found.append(path)
    return found


def the_tree():
    """every file names its licence (SPDX)"""
    tap.truth(len(list(ours(TOP_SRCDIR))) > 10, 'too few files found')
    tap.equal(without(TOP_SRCDIR), [], 'files without an SPDX line')


def planted():
    """the lint finds a file that does not"""
    with tempfile.TemporaryDirectory() as top:
        os.mkdir(os.path.join(top, 'daemon'))
        for name, text in (('good.c', '/* SPDX-License-Identifier: GPL-2.0-or-later */\n'), ('bad.c', 'int x;\n')):
            with open(os.path.join(top, 'daemon', name), 'w', encoding='utf-8') as file:
                file.write(text)
        tap.equal(without(top), ['daemon/bad.c'], 'files without an SPDX line')


tap.run([the_tree, planted])
