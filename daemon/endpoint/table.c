/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table: which handler answers which route. */
#include "endpoint/endpoint.h"

handler_fn *const endpoint_handlers[ROUTES] = {
#define ROUTE(id, method, path, params, head, list, rows, tail, cost, help) [ROUTE_##id] = endpoint_##id,
#include "vmad/routes.def"
#undef ROUTE
};
