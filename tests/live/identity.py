# SPDX-License-Identifier: GPL-2.0-or-later
"""Who sees what: an ordinary user's own vmad, and root's vmad asked by nobody; the kernel says what is right."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import procfs  # noqa: E402
import tap  # noqa: E402
from vmad import NOBODY, Vmad, as_user  # noqa: E402
from wire import wait_until  # noqa: E402
from victim import Victim  # noqa: E402

HIDEPID = ['unshare', '--mount', 'sh', '-c', 'mount -t proc -o hidepid=2 proc /proc && exec "$0" "$@"']
FILES = {
    '': 'stat',
    '/vmas': 'maps',
    '/vmas?detail=usage': 'smaps',
    '/vmas/0x1000': 'maps',
    '?detail=usage': 'smaps_rollup',
}


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


def what_the_kernel_lets_me_open(pids, name):
    """The pids whose file this process can open and read."""
    allowed = []
    for pid in pids:
        try:
            procfs.read(pid, name)
            allowed.append(pid)
        except OSError:
            pass
    return allowed


def nobody_sees_what_nobody_can_open():
    """root's vmad shows nobody exactly what a nobody without capabilities can open in /proc"""
    needs_root()
    with Vmad(open_to_all=True) as vmad, Victim(uid=NOBODY) as own, Victim() as other:
        # Not those whose leader exited: the kernel opens a zombie's empty maps for anybody, vmad those of a thread that lives.
        pids = [pid for pid in sorted(procfs.pids()) if (procfs.stat(pid) or {'state': 'Z'})['state'] != 'Z' and pid not in vmad.processes().values()]
        for rest, file in FILES.items():

            def ask(rest=rest, file=file):
                kernel = what_the_kernel_lets_me_open(pids, file)
                replies = {pid: vmad.get(f'/v1/processes/{pid}{rest}') for pid in pids}
                # A thread of the kernel has no sums, and says so in a 200 without any.
                shown = [pid for pid, reply in replies.items() if reply.status == 200
                         and (file != 'smaps_rollup' or 'pss_bytes' in reply.json())]
                after = what_the_kernel_lets_me_open(pids, file)
                return [kernel, after, shown, {pid: reply.status for pid, reply in replies.items()}]

            kernel, after, shown, answers = as_user(NOBODY, ask)
            # One that ended, or executed something, is another one for the kernel before and after.
            alive = procfs.pids() - (set(kernel) ^ set(after))
            tap.equal(
                [pid for pid in shown if pid in alive],
                [pid for pid in kernel if pid in alive and answers[str(pid)] != 404],
                rest,
            )
            tap.truth(own.pid in shown, f'{rest}: its own process')
            tap.equal(other.pid in shown, file == 'stat', f"{rest}: root's process")
            tap.truth(set(answers.values()) <= {200, 403, 404}, f'{rest}: {answers}')


def nobody_gets_the_same_bytes():
    """for its own process nobody gets what root gets"""
    needs_root()
    with Vmad(open_to_all=True) as vmad, Victim(uid=NOBODY) as own:
        own.freeze()
        path = f'/v1/processes/{own.pid}/vmas'
        tap.equal(as_user(NOBODY, lambda: vmad.get(path).json()), vmad.get(path).json(), 'maps')


def the_host_as_nobody_sees_it():
    """/v1/vmas holds what nobody may read, and counts what it may not"""
    needs_root()
    with Vmad(open_to_all=True) as vmad, Victim(uid=NOBODY) as own, Victim() as other:
        document = as_user(NOBODY, lambda: vmad.get('/v1/vmas').json())
        pids = {area['pid'] for area in document['vmas']}
        tap.truth(own.pid in pids and other.pid not in pids, f'{pids}')
        tap.equal({procfs.status(pid, 'Uid') for pid in pids if procfs.stat(pid)}, {str(NOBODY)}, 'users')
        tap.truth(document['processes_unreadable'] > 0, f'{document["processes_unreadable"]} unreadable')
        tap.equal(document['complete'], True, 'complete: every record that matches and may be read')


def groups_count():
    """a caller's groups do not make it root: gid 0 opens no more than uid"""
    needs_root()
    with Vmad(open_to_all=True) as vmad, Victim() as other:
        status = as_user(NOBODY, lambda: vmad.get(f'/v1/processes/{other.pid}/vmas').status, gid=0, groups=[0])
        tap.equal(status, 403, 'group root')


def vmad_itself():
    """vmad's own address space is root's affair"""
    needs_root()
    with Vmad(open_to_all=True) as vmad:
        own = wait_until(lambda: len(vmad.processes()) == 4 and vmad.processes(), 'its processes')
        for name, pid in own.items():
            for rest in ('/vmas', '/vmas?detail=usage', '/vmas/0x1000', '?detail=usage'):
                tap.equal(as_user(NOBODY, lambda pid=pid, rest=rest: vmad.get(f'/v1/processes/{pid}{rest}').status), 403, f'{name} {rest}')
            tap.equal(vmad.get(f'/v1/processes/{pid}/vmas').status, 200, f'{name}, for root')
        listed = as_user(NOBODY, lambda: vmad.get('/v1/vmas').json())
        tap.equal({area['pid'] for area in listed['vmas']} & set(own.values()), set(), 'in the list of the host')
    with Vmad(uid=NOBODY) as vmad:
        listed = as_user(NOBODY, lambda: vmad.get('/v1/vmas').json())
        tap.truth(vmad.pid not in {area['pid'] for area in listed['vmas']}, "in an ordinary user's list")


def hidepid():
    """under hidepid=2 others' processes do not exist, to the byte"""
    needs_root()
    with Victim(uid=NOBODY) as own, Victim() as other:
        try:
            vmad = Vmad(open_to_all=True, prefix=HIDEPID)
        except RuntimeError as reason:
            raise tap.Skip(f'no procfs of our own: {reason}') from reason
        with vmad:

            def ask():
                listed = [process['pid'] for process in vmad.get('/v1/processes').json()['processes']]
                bodies = [hidden_and_missing(vmad, other.pid, rest) for rest in FILES]
                return [listed, vmad.get(f'/v1/processes/{own.pid}/vmas').status, bodies]

            listed, status, bodies = as_user(NOBODY, ask)
            tap.truth(own.pid in listed and other.pid not in listed, f'listed: {listed}')
            tap.equal(status, 200, 'its own process')
            for hidden, missing in bodies:
                tap.equal(hidden, missing, 'the very bytes of the 404')
                tap.equal(hidden[0], 404, 'hidden')
            tap.truth(
                other.pid in [process['pid'] for process in vmad.get('/v1/processes').json()['processes']],
                'root sees it',
            )


def hidden_and_missing(vmad, pid, rest):
    """Status and bytes for a pid that is hidden, and for one that nobody has; the pid itself is left out."""
    missing = max(procfs.pids()) - 1
    while os.path.exists(f'/proc/{missing}'):
        missing -= 1
    replies = [(number, vmad.get(f'/v1/processes/{number}{rest}')) for number in (pid, missing)]
    return [[reply.status, reply.body.decode().replace(str(number), 'PID')] for number, reply in replies]


CASES = [
    an_ordinary_users_vmad,
    an_ordinary_users_vmad_refuses_root,
    nobody_sees_what_nobody_can_open,
    nobody_gets_the_same_bytes,
    the_host_as_nobody_sees_it,
    groups_count,
    vmad_itself,
    hidepid,
]

tap.run(CASES)
