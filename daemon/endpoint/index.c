/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index: what can be asked here: the rows of routes.def. */
#include <errno.h>
#include <stdlib.h>

#include "config.h"
#include "encode/record.h"
#include "endpoint/endpoint.h"

struct index_list {
	int next;
};

static void put_head(void *list, struct buf *to)
{
	(void)list;
	record_put_service(to, &(struct vmad_service){ .service = "vmad", .version = PACKAGE_VERSION, .api = "v1" });
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct index_list *list = arg;
	const struct route *route;

	(void)err;
	if (list->next == ROUTES)
		return 0;
	route = &routes[list->next++];
	record_put_route(to, &(struct vmad_route){ .id = route->name, .method = route->method, .path = route->path,
						   .cost = route_cost_name(route->cost), .help = route->help });
	return 1;
}

static void put_tail(void *list, struct buf *to, struct vmad_verdict *verdict)
{
	(void)list;
	(void)to;
	(void)verdict;
}

static const struct list_ops index_ops = {
	.record = "route", .head = put_head, .next = put_next, .tail = put_tail, .free = free
};

void endpoint_index(struct request *request)
{
	struct index_list *list = calloc(1, sizeof(*list));

	if (list)
		reply_list(request, &index_ops, list);
	else
		reply_error(request, &(struct vmad_error){ .code = ENOMEM, .operation = "allocate" });
}
