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
/* Lets replies finish, and frees everything. False: the kernel holds a thread, and the process can but end. */
bool worker_stop(struct worker *worker);

#endif
