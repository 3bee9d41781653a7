/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alone: vmad in one process: an ordinary user's, or one that reads a captured tree. Where root reads one, the threads
 * that talk to clients run as another user all the same.
 */
#ifndef ALONE_H
#define ALONE_H

#include "daemon.h"

/* Serves until SIGTERM or SIGINT. The exit status: 1 where it cannot serve, which it says. */
int alone_run(struct daemon *daemon);

#endif
