/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walks: who may walk page tables now. A walk holds the target's mmap_lock, so there is one at a time for an mm (by
 * whichever of its threads or processes it is asked for), few for a caller and few for the host; others wait in a queue
 * for a while. A user's wait in their order, and users take
 * turns; one without a walk may begin one more than the host's few: so one user's walks, however many and however long,
 * neither fill the queue of another nor stand in front of it.
 *
 * A permit whose reply is not being produced (a slow reader) rests, and may be taken away by one who waits; it is then
 * won back, or not, when the reader comes again. One that has worked for a while is given up between two windows where
 * another user waits for it.
 */
#ifndef HTTP_WALKS_H
#define HTTP_WALKS_H

#include <stdbool.h>
#include <sys/types.h>

#include "vmad/caller.h"

#define WALKS_PER_CALLER 2
#define WALKS_SPARE 1		/* beyond the host's few, for a user who has none */
#define WALKS_QUEUE_MAX 16	/* of one user's that wait */
#define WALKS_WAIT_MS 5000
#define WALK_DEADLINE_MS 2000	/* of one walk, where deadline_ms does not say otherwise */
#define WALKS_REST_MS 200	/* a permit that rested so long may be taken away */
#define WALKS_TURN_MS 200	/* one that worked so long is given up for another user */

struct walks;
struct walk_permit;

/*
 * Which of these processes has the same mm as the first one, as far as this caller may know: its place; 0: none. May
 * take its time.
 */
typedef size_t same_mm_fn(void *arg, const struct vmad_caller *caller, const pid_t *pids, size_t count);
int walks_new(same_mm_fn *same_mm, void *arg, struct walks **ret_walks);
void walks_free(struct walks *walks);

/*
 * Waits for a permit; it comes back active. -EBUSY: too many of this user's wait already; -ETIMEDOUT: none came free in time; -ENOMEM.
 */
int walk_begin(struct walks *walks, const struct vmad_caller *caller, pid_t pid, struct walk_permit **ret_permit);
void walk_end(struct walk_permit *permit);

/* Has its user others that walk or wait? */
bool walk_is_one_of_many(const struct walk_permit *permit);

/* So many wait. */
unsigned walks_waiting(struct walks *walks);

/* Takes the permits for that process away from those who have them: their threads do not come back. */
void walks_forsake(struct walks *walks, pid_t pid);

/* The walk goes on after a rest: as walk_begin where the permit was taken away meanwhile. */
int walk_resume(struct walk_permit *permit);
void walk_rest(struct walk_permit *permit);

#endif
