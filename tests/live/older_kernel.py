# SPDX-License-Identifier: GPL-2.0-or-later
"""The live tests once more, with a vmad whose kernel has no PROCMAP_QUERY (6.11) and no PAGEMAP_SCAN (6.7): the text of maps and pagemap
answer instead."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
LIBRARY = os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib')
sys.path.insert(0, LIBRARY)
import tap  # noqa: E402
from vmad import is_sanitized  # noqa: E402

WITHOUT = f'/usr/bin/python3 {LIBRARY}/without.py ioctls'
SECONDS = 600  # a search looks at each page of all processes: beside some that reserve terabytes it takes minutes


def once_more(name):
    def case():
        if name == 'rmap.py' and is_sanitized():
            raise tap.Skip('without PAGEMAP_SCAN every page is looked at, and those of a sanitizer are terabytes of shadow')
        done = subprocess.run(
            ['/usr/bin/python3', f'{HERE}/{name}'],
            env={**os.environ, 'VMAD_TEST_PREFIX': WITHOUT},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding='utf-8',
            errors='replace',
            timeout=SECONDS,
            check=False,
        )
        if done.stdout.startswith('1..0'):
            raise tap.Skip(done.stdout.splitlines()[0].partition('# SKIP ')[2])
        for line in done.stdout.splitlines():
            print(f'# {line}' if not line.startswith('#') else line)
        tap.equal(done.returncode, 0, f'{name}: exit status')

    case.__doc__ = f'{name} on an older kernel'
    return case


tap.run([once_more(name) for name in ('rmap.py', 'pages.py', 'vmas.py', 'gaps.py')])
