/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * family: vmad as root: an opener, which keeps capabilities and does nothing but open files; a worker, which has none
 * and does all the rest; and the one who calls this: it keeps them alive, and hears signals.
 *
 * Where one of them ends, what hangs on it ends at once, and all are started anew: clients that come meanwhile wait in
 * the queue of the listening sockets, which stay open.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include "daemon.h"

/* Serves until SIGTERM or SIGINT. The exit status: 1 where they cannot be started, or end again and again. */
int family_run(struct daemon *daemon);

#endif
