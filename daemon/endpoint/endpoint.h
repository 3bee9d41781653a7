/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint: the handlers, one for each row of routes.def, one file for each noun. A handler reads the request's typed
 * values, asks the model, and replies; it knows neither procfs nor libmicrohttpd.
 */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include <stdatomic.h>

#include "http/server.h"
#include "opener/opener.h"

struct board;

/* Who is answered GET /metrics: as any caller, but without a token too; all but those; nobody. */
enum metrics_access { METRICS_OPEN, METRICS_TOKEN, METRICS_OFF };

/* What the handlers share. It lives as long as the server. */
struct endpoint_context {
	struct opener *opener;
	const char *procfs;
	/* Or -1, as long as there was no opener to open them. */
	atomic_int vma_limit_fd;	/* vm.max_map_count */
	atomic_int mountinfo_fd;
	atomic_int min_address_fd;	/* vm.mmap_min_addr */
	atomic_int overcommit_fd;	/* vm.overcommit_memory */
	struct board *board;		/* the sampler's, to be read; or NULL */
	enum metrics_access metrics;
	char page[192];			/* its address, or "" without TCP */
};

/* One for each route, in the order of routes.def. */
extern handler_fn *const endpoint_handlers[ROUTES];

#define ROUTE(id, method, path, params, head, list, rows, tail, cost, help) handler_fn endpoint_##id;
#include "vmad/routes.def"
#undef ROUTE

/* Is it answered over TCP without a token? */
bool endpoint_is_open(void *context, const struct route *route, bool local);

/* From now on what another sampler publishes is answered: board_follow(). */
void metrics_follow(struct board *board, int fd);

/* Frees the text that was made last. */
void metrics_forget(void);

/* What the documents of the API's description are made of; made once, at start. False without memory. */
bool openapi_prepare(void);
void openapi_forget(void);

#endif
