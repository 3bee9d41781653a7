/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint: the handlers, one for each row of routes.def, one file for each noun. A handler reads the request's typed
 * values, asks the model, and replies; it knows neither procfs nor libmicrohttpd.
 */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include "http/server.h"
#include "opener/opener.h"

/* What the handlers share. It lives as long as the server. */
struct endpoint_context {
	struct opener *opener;
	const char *procfs;
	int vma_limit_fd;		/* vm.max_map_count, or -1 */
	int mountinfo_fd;		/* or -1 */
	int min_address_fd;		/* vm.mmap_min_addr, or -1 */
	int overcommit_fd;		/* vm.overcommit_memory, or -1 */
};

/* One for each route, in the order of routes.def. */
extern handler_fn *const endpoint_handlers[ROUTES];

#define ROUTE(id, method, path, params, head, list, rows, tail, cost, help) handler_fn endpoint_##id;
#include "vmad/routes.def"
#undef ROUTE

/* What the documents of the API's description are made of; made once, at start. False without memory. */
bool openapi_prepare(void);
void openapi_forget(void);

#endif
