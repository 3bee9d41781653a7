/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handles: the callers that another process may ask for, by number. Each hangs on a client's connection, of which the
 * opener keeps a descriptor of its own: when the client has hung up, its handle is worth nothing any more, whatever the
 * other process says. No two openers give the same number, so that one of a former opener's stands for nobody.
 */
#ifndef OPENER_HANDLES_H
#define OPENER_HANDLES_H

#include <stdint.h>

#include "vmad/caller.h"

#define HANDLES_MAX 2048	/* far more than there may be connections */
#define HANDLES_SWEEP_MS 1000	/* how often those of clients that hung up are to be looked for */

struct handles;

/* Counts on from there: far from any other opener's, as by chance. NULL: no memory. */
struct handles *handles_new(uint64_t first);
/* Nobody may hold any. */
void handles_free(struct handles *handles);

/* Takes both over, in any case. The handle, not 0; or a negative errno: -EMFILE: there are too many. */
int handles_add(struct handles *handles, struct vmad_caller *caller, int socket_fd, uint64_t *ret_handle);

/* The caller, until handles_drop(). NULL: there is no such handle, or the client has hung up. */
const struct vmad_caller *handles_hold(struct handles *handles, uint64_t handle);
void handles_drop(struct handles *handles, uint64_t handle);

/* Ends it: for those who hold it, once they drop it. Nothing where there is none. */
void handles_end(struct handles *handles, uint64_t handle);

/* Ends those of clients that hung up. */
void handles_sweep(struct handles *handles);

/* Ends all, and their clients' connections: who would have answered them is gone. */
void handles_end_all(struct handles *handles);

#endif
