/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "encode/record.h"
#include "endpoint/endpoint.h"

void endpoint_health(struct request *request)
{
	const struct endpoint_context *context = request->context;
	struct buf members = { 0 };

	if (!opener_is_there(context->opener)) {
		reply_error(request, &(struct vmad_error){ .code = ENOTCONN, .operation = "open" });
		return;
	}
	record_put_health(&members, &(struct vmad_health){ .status = "ok" });
	reply_document(request, &members);
}
