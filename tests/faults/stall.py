# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that does not let itself be looked at: the kernel does not come back from one read of its smaps."""
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from inject import NEVER_BACK, READ, injection  # noqa: E402
from victim import Victim  # noqa: E402
from vmad import Vmad, is_sanitized  # noqa: E402
from wire import wait_until  # noqa: E402

STALL_SECONDS = 20  # daemon/stall/stall.h


def ask(target, answers):
    reply = vmad.get(target, timeout=90)
    answers.append((reply.status, reply.json()))


def hold():
    """The next read of somebody's smaps or smaps_rollup does not come back."""
    control.begin(READ, NEVER_BACK, 1)


def quarantined():
    return re.search(r'^vmad_targets_quarantined (\d+)$', vmad.get('/metrics').text().decode(), re.M)[1]


def stuck():
    """504 target-blocked to who waits, then at once to who asks; others are answered meanwhile; it ends with the lock"""
    target = f'/v1/processes/{victim.pid}?detail=usage'
    answers, began = [], time.monotonic()
    hold()
    # Two ask the same: one leads, the other waits for its answer.
    threads = [threading.Thread(target=ask, args=(target, answers)) for _ in range(2)]
    threads[0].start()
    wait_until(lambda: control.count, 'a read that does not come back')
    threads[1].start()
    for other in ('/v1/health', '/v1/processes', f'/v1/processes/{os.getpid()}/vmas', '/v1/vmas?limit=3', '/metrics'):
        tap.equal(vmad.get(other).status, 200, f'{other}, while a thread is stuck')
    for thread in threads:
        thread.join(90)
    seconds = time.monotonic() - began
    tap.equal([(status, document['type']) for status, document in answers], [(504, 'urn:vmad:problem:target-blocked')] * 2, f'{answers}')
    tap.truth(STALL_SECONDS - 1 < seconds, f'{seconds} s')
    reply = vmad.get(target)
    tap.equal((reply.status, reply.headers['Retry-After'], reply.json()['type']), (504, '60', 'urn:vmad:problem:target-blocked'), 'quarantine')
    tap.equal(quarantined(), '1', 'vmad_targets_quarantined')
    tap.equal(vmad.get(f'/v1/processes/{victim.pid}').status, 200, 'what needs no lock')
    tap.equal(vmad.get(f'/v1/processes/{os.getpid()}?detail=usage').status, 200, 'the walk is free for others')
    control.error = 0
    wait_until(lambda: vmad.get(target).status == 200, 'an answer, now that the kernel let it go')
    wait_until(lambda: quarantined() == '0', 'a scrape that says so')


def it_ends():
    """SIGTERM while a thread is stuck: vmad ends in time, with status 0"""
    target = f'/v1/processes/{victim.pid}?detail=usage'
    hold()
    client = threading.Thread(target=lambda: ends_somehow(target))
    client.start()
    wait_until(lambda: control.count, 'a read that does not come back')
    began = time.monotonic()
    tap.equal(vmad.stop(timeout=30), 0, 'status')
    print(f'# ended after {time.monotonic() - began:.1f} s', flush=True)
    client.join(30)


def ends_somehow(target):
    try:
        vmad.get(target, timeout=60)
    except OSError:
        pass
    except Exception:  # http.client's own, for a connection that ended
        pass


if is_sanitized():
    print('1..0 # SKIP a sanitizer has an allocator of its own; what is built without one is tried')
    sys.exit(0)
with injection() as (control, environment):
    with Vmad(environment=environment) as vmad, Victim() as victim:
        tap.run([stuck, it_ends])
