/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A private vmad for one command (--local): on a socket in a directory that only this user can enter.
 */
#ifndef CLIENT_LOCAL_H
#define CLIENT_LOCAL_H

#include "trouble.h"

struct local;

/* Starts it and waits until it serves. EXIT_DONE, EXIT_UNREACHABLE, or EXIT_INTERRUPTED. */
int local_start(struct local **ret, struct trouble *trouble);

/* The socket to talk to; belongs to local. */
const char *local_socket(const struct local *local);

/* Ends it and removes its directory. */
void local_stop(struct local *local);

#endif
