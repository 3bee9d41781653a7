# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose vmad it is: an ordinary user's own, and root's asked by nobody. Who sees what of whom is in matrix.py."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from vmad import NOBODY, Vmad, as_user  # noqa: E402
from victim import Victim  # noqa: E402

def needs_root():
    if os.geteuid() != 0:
        raise tap.Skip('needs root')


def an_ordinary_users_vmad():
    """an ordinary user's vmad answers for that user's processes, and for no others"""
    needs_root()
    with Vmad(uid=NOBODY) as vmad, Victim(uid=NOBODY) as own, Victim() as other:
        tap.equal(os.stat(vmad.socket).st_mode & 0o777, 0o600, 'mode of the socket')

        def ask():
            own_list = vmad.get(f'/v1/processes/{own.pid}/vmas').json()
            usage = vmad.get(f'/v1/processes/{own.pid}/vmas?detail=usage')
            refused = vmad.get(f'/v1/processes/{other.pid}/vmas')
            return [own_list['count'], own_list['complete'], usage.status, refused.status, refused.json()]

        count, complete, usage, refused, problem = as_user(NOBODY, ask)
        tap.equal((count, complete, usage), (len(procfs.maps(own.pid)), True, 200), 'its own process')
        tap.equal(
            (refused, problem['type'], problem['errno']),
            (403, 'urn:vmad:problem:not-allowed', 'EACCES'),
            "root's process",
        )
        tap.truth(problem['mend'], 'it says what would help')


def an_ordinary_users_vmad_refuses_root():
    """an ordinary user's vmad is that user's alone"""
    needs_root()
    with Vmad(uid=NOBODY) as vmad:
        tap.equal(vmad.get('/v1/processes').status, 403, 'another user')


def nobody_gets_the_same_bytes():
    """for its own process nobody gets what root gets"""
    needs_root()
    with Vmad(open_to_all=True) as vmad, Victim(uid=NOBODY) as own:
        own.freeze()
        path = f'/v1/processes/{own.pid}/vmas'
        tap.equal(as_user(NOBODY, lambda: vmad.get(path).json()), vmad.get(path).json(), 'maps')


def uid_of(pid):
    """None of one that has ended, as others of nobody's may."""
    try:
        return procfs.status(pid, 'Uid')
    except OSError:
        return None


def the_host_as_nobody_sees_it():
    """/v1/vmas holds what nobody may read, and counts what it may not"""
    needs_root()
    with Vmad(open_to_all=True) as vmad, Victim(uid=NOBODY) as own, Victim() as other:
        document = as_user(NOBODY, lambda: vmad.get('/v1/vmas').json())
        pids = {area['pid'] for area in document['vmas']}
        tap.truth(own.pid in pids and other.pid not in pids, f'{pids}')
        tap.equal({uid_of(pid) for pid in pids} - {None}, {str(NOBODY)}, 'users')
        tap.truth(document['processes_unreadable'] > 0, f'{document["processes_unreadable"]} unreadable')
        tap.equal(document['complete'], True, 'complete: every record that matches and may be read')


def vmad_itself():
    """an ordinary user's vmad does not show its own address space"""
    needs_root()
    with Vmad(uid=NOBODY) as vmad:
        listed = as_user(NOBODY, lambda: vmad.get('/v1/vmas').json())
        tap.truth(vmad.pid not in {area['pid'] for area in listed['vmas']}, "in an ordinary user's list")
        tap.equal(as_user(NOBODY, lambda: vmad.get(f'/v1/processes/{vmad.pid}/vmas').status), 403, 'asked for')


CASES = [
    an_ordinary_users_vmad,
    an_ordinary_users_vmad_refuses_root,
    nobody_gets_the_same_bytes,
    the_host_as_nobody_sees_it,
    vmad_itself,
]

tap.run(CASES)
