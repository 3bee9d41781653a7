#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No #include points up the floors, and the lint that says so can fail."""
import os
import re
import sys
import tempfile

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
TOP_BUILDDIR = os.environ.get('TOP_BUILDDIR', TOP_SRCDIR)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402

# What the files of a directory, or below it, may include, beside include/ and what is there itself. The daemon's floors stand
# from the lowest up, main and its helpers (in daemon/ itself) on top. Of the opener the others see its interface only, so that
# it can move into a process of its own.
OPENER = 'daemon/opener/opener.h'
CLOCK = 'daemon/clock/clock.h'
METER = 'daemon/meter/meter.h'
STALL = 'daemon/stall/stall.h'
GIVEWAY = 'daemon/stall/giveway.h'
SNAPSHOT = 'daemon/sampler/snapshot.h'      # what it hands over, and nothing that reads processes
FLOORS = {
    'include': [],
    'daemon/clock': [],
    'daemon/meter': [],
    'daemon/stall': [CLOCK],
    'daemon/opener': [CLOCK, METER, STALL],
    'daemon/source': [CLOCK, OPENER, STALL, GIVEWAY],
    'daemon/model': ['daemon/source', CLOCK, OPENER, STALL, GIVEWAY],
    'daemon/sampler': ['daemon/model', 'daemon/source', CLOCK, OPENER],
    'daemon/encode': ['daemon/model', 'daemon/source', OPENER],
    'daemon/http': ['daemon/encode', 'daemon/model', CLOCK, OPENER, METER, STALL, GIVEWAY],
    'daemon/endpoint': ['daemon/http', 'daemon/encode', 'daemon/model', 'daemon/source', CLOCK, OPENER, METER, STALL, SNAPSHOT],
    'daemon/web': ['daemon/http/site.h'],
    'daemon': [],
    'client': [],
}
SEARCH = ['include', 'daemon']		# the -I of Makefile.am
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
SOURCES = ('.c', '.h', '.def', '.inc')


def below(path, place):
    """Is path the file, or in the directory, that place names?"""
    return path == place or path.startswith(place + '/')


def sources(top):
    """The source files that the lint speaks of, relative to top."""
    for root in ('include', 'daemon', 'client'):
        for directory, _, files in sorted(os.walk(os.path.join(top, root))):
            for name in sorted(files):
                if name.endswith(SOURCES):
                    yield os.path.relpath(os.path.join(directory, name), top)


def resolve(top, source, name):
    """The project's file that an #include names, relative to top; None where it is the system's, or is generated."""
    for place in [os.path.dirname(source), *SEARCH]:
        path = os.path.normpath(os.path.join(place, name))
        if os.path.exists(os.path.join(top, path)):
            return path
    return None


def generated(name):
    """Is it made by the build? A generated header belongs to the directory that it is made in, as any other."""
    for place in ['', *SEARCH]:
        path = os.path.normpath(os.path.join(place, name))
        if os.path.exists(os.path.join(TOP_BUILDDIR, path)):
            return path
    return None


def floor_of(source):
    """The row of FLOORS that a file stands on. A new directory of the daemon needs a row: it is not main's."""
    place = os.path.dirname(source)
    return place if place in FLOORS else next((row for row in FLOORS if row != 'daemon' and below(place, row)), None)


def complaint(top, source, quote, name):
    """What is wrong with one #include, or None."""
    floor = floor_of(source)
    if floor is None:
        return f'{source}: stands on no floor: name its directory in {os.path.basename(__file__)}'
    target = 'config.h' if name == 'config.h' else resolve(top, source, name) or (generated(name) if quote == '"' else None)
    if target is None:
        return f'{source}: "{name}" is nowhere' if quote == '"' else None
    allowed = [floor, 'include', 'config.h', *FLOORS[floor]]
    if any(below(target, place) for place in allowed):
        return None
    return f'{source}: may not include {target}'


def lint(top):
    """Every complaint about the tree at top."""
    found = []
    for source in sources(top):
        with open(os.path.join(top, source), encoding='utf-8') as file:
            text = file.read()
        found += [complaint(top, source, quote, name) for quote, name in INCLUDE.findall(text)]
    return sorted({what for what in found if what})


def plant(files):
    """The complaints about a small tree of these files."""
    with tempfile.TemporaryDirectory() as top:
        for path, text in files.items():
            os.makedirs(os.path.join(top, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(top, path), 'w', encoding='utf-8') as file:
                file.write(text)
        return lint(top)


GOOD = {
    'include/vmad/records.h': '#include <stdint.h>\n#include "vmad/fields.def"\n',
    'include/vmad/fields.def': '',
    'daemon/opener/opener.h': '#include "vmad/records.h"\n',
    'daemon/opener/message.h': '',
    'daemon/opener/target.c': '#include "opener/opener.h"\n#include "message.h"\n',
    'daemon/source/maps.h': '#include <stddef.h>\n',
    'daemon/source/maps.c': '#include "maps.h"\n#include "opener/opener.h"\n',
    'daemon/model/stream.h': '#include "source/maps.h"\n',
    'daemon/http/reply.h': '#include "model/stream.h"\n',
    'daemon/endpoint/vmas.c': '#include "http/reply.h"\n',
    'daemon/main.c': '#include "http/reply.h"\n#include "opener/opener.h"\n',
    'client/verb.h': '',
    'client/maps.c': '#include "verb.h"\n#include "vmad/records.h"\n',
}

# One planted mistake each, and the file that the complaint must name.
BAD = [
    ('source includes model', 'daemon/source/bad.c', '#include "model/stream.h"\n'),
    ('model includes http', 'daemon/model/bad.c', '#include "http/reply.h"\n'),
    ('http includes source', 'daemon/http/bad.c', '#include "source/maps.h"\n'),
    ('http includes what the opener keeps for itself', 'daemon/http/bad.c', '#include "opener/message.h"\n'),
    ('the opener includes source', 'daemon/opener/bad.h', '#include "source/maps.h"\n'),
    ('the client includes the daemon', 'client/bad.c', '#include "source/maps.h"\n'),
    ('include/ includes the daemon', 'include/vmad/bad.h', '#include "opener/opener.h"\n'),
    ('spaces, and a path that climbs', 'daemon/source/bad.c', '  #  include "../http/reply.h"\n'),
    ('angle brackets', 'daemon/source/bad.c', '#include <http/reply.h>\n'),
    ('a header that does not exist', 'daemon/source/bad.c', '#include "nowhere.h"\n'),
    ('a directory without a floor', 'daemon/attic/bad.c', '#include <stdio.h>\n'),
]


def the_tree():
    """no include points up the floors"""
    tap.truth(list(sources(TOP_SRCDIR)), 'no sources found')
    tap.equal(lint(TOP_SRCDIR), [], 'complaints')


def a_good_tree():
    """the lint accepts a tree that keeps to the floors"""
    tap.equal(plant(GOOD), [], 'complaints')


def planted(what, path, text):
    """A case that plants one mistake and expects exactly that complaint."""
    def case():
        complaints = plant({**GOOD, path: text})
        tap.equal(len(complaints), 1, f'number of complaints {complaints}')
        tap.truth(complaints[0].startswith(f'{path}:'), complaints[0])
    case.__doc__ = f'the lint refuses: {what}'
    return case


tap.run([the_tree, a_good_tree, *[planted(*row) for row in BAD]])
