/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encode/record.h"
#include "endpoint/endpoint.h"

void endpoint_health(struct request *request)
{
	struct buf members = { 0 };

	record_put_health(&members, &(struct vmad_health){ .status = "ok" });
	reply_document(request, &members);
}
