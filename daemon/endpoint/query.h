/* SPDX-License-Identifier: GPL-2.0-or-later */
/* query: from a request's parameters to the questions that the model takes; shared by the endpoints that filter. */
#ifndef ENDPOINT_QUERY_H
#define ENDPOINT_QUERY_H

#include "endpoint/endpoint.h"
#include "model/process_list.h"
#include "model/vma.h"

struct vma_filter query_vma_filter(const struct request *request);
struct process_query query_processes(const struct request *request, const struct endpoint_context *context);

/* A list that was cut by limit=: incomplete, and where the rest is. uri keeps the bytes. */
void query_put_more(const struct request *request, pid_t pid, uint64_t address, struct buf *uri,
		    struct vmad_verdict *verdict);

/* vm.max_map_count now; 0 where it is unknown. */
uint64_t query_vma_limit(const struct endpoint_context *context);

#endif
