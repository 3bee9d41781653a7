/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worker: the part of vmad that talks to clients and parses. */
#ifndef WORKER_H
#define WORKER_H

#include "daemon.h"

struct opener;

/* What is asked of this process's own files, and learned once for all: before there are threads, and with privileges. */
void worker_learn(void);

struct worker;

/* Serves. Takes the opener over, in any case. Prints one line and returns NULL where it cannot. */
struct worker *worker_start(struct daemon *daemon, struct opener *opener);
/* The opener has come, or another one in its place. */
void worker_meets_opener(struct worker *worker);
/* Does it get on, as far as that is up to itself? */
bool worker_gets_on(struct worker *worker);
/* Lets replies finish, and frees everything. False: the kernel holds a thread, and the process can but end. */
bool worker_stop(struct worker *worker);

#endif
