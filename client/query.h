/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The path and query of a request, from the rows of routes.def. */
#ifndef CLIENT_QUERY_H
#define CLIENT_QUERY_H

#include <stdint.h>
#include <sys/types.h>

#include "route.h"
#include "text.h"

/* Appends the route's path with pid and addr filled in, and "?". Further pairs begin with "&". 0, or -ENOMEM. */
int query_begin(struct text *query, enum route route, pid_t pid, uint64_t addr);

/* Appends "&name=value", the value percent-encoded. 0, or -ENOMEM. */
int query_add(struct text *query, const char *name, const char *value);

/* Takes away what an empty query leaves behind ("?", or "&" after it). */
void query_end(struct text *query);

#endif
