# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP for the Python tests: a case is a function, its docstring or name is what the reader sees.

A case passes unless it raises; Skip is for what this host cannot show. run() prints the plan first and never returns.
"""
import signal
import sys
import traceback

sys.stdout.reconfigure(errors='backslashreplace')


class Skip(Exception):
    """Raised by a case that cannot be tried here; its text is the reason."""


def _say(number, case, verdict, extra=''):
    name = (case.__doc__ or case.__name__.replace('_', ' ')).split('\n')[0].replace('#', '\\#').rstrip('.')
    print(f'{verdict} {number} - {name}{extra}', flush=True)


def _diagnose(text):
    for line in text.rstrip().split('\n'):
        print(f'# {line}', flush=True)


def equal(found, expected, what=''):
    """Like assert ==, but says both sides."""
    if found != expected:
        raise AssertionError(f'{what}: found {found!r}, expected {expected!r}')


def truth(value, what):
    """Like assert, but not switched off by -O."""
    if not value:
        raise AssertionError(what)


def settled(check, tries=5):
    """Runs check() until it passes. For what other processes of the host have a part in, such as the mappers of a shared page:
    they come and go, so that two readings of the kernel itself may differ; but not every time."""
    for _ in range(tries - 1):
        try:
            return check()
        except AssertionError as error:
            _diagnose(f'once more: {error}'[:200])
    return check()


def run(cases):
    """Runs the cases in order and exits: 0 where none failed."""
    # What runs in the background of a shell ignores ^C, and so would all that it starts; tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    failed = 0
    print(f'1..{len(cases)}', flush=True)
    for number, case in enumerate(cases, 1):
        try:
            case()
        except Skip as reason:
            _say(number, case, 'ok', f' # SKIP {reason}')
        except Exception:  # whatever it is, it is this case's verdict
            failed += 1
            _say(number, case, 'not ok')
            _diagnose(traceback.format_exc(limit=3))
        else:
            _say(number, case, 'ok')
    sys.exit(1 if failed else 0)
