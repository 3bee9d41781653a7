/* SPDX-License-Identifier: GPL-2.0-or-later */
/* share: requests that ask the same at the same time, and their one answer. */
#include <string.h>

#include "http/exchange.h"
#include "stall/stall.h"

/*
 * While many connections are open, answers to the same question within this time share one reading of procfs, unless
 * max_age_ms=0. Only documents that take max_age_ms, never lists. With few connections each request asks the kernel: who
 * reaps a child and then asks must not be told of the moment before.
 */
#define COALESCE_US 2000
#define COALESCE_CONNECTIONS 8

/* A parameter in a key. How old an answer may be does not change what is asked. */
static void put_key_param(struct buf *key, enum param_id id, const struct param_value *value)
{
	uint64_t numbers[] = { id, value->number, value->address };

	if (!value->given || id == PARAM_max_age_ms)
		return;
	buf_put(key, (const char *)numbers, sizeof(numbers));
	if (param_is_text(id))
		buf_put(key, value->text, strlen(value->text) + 1);
}

/* Form (its header fields, too) and question: what makes two requests of one caller equal. */
static void put_key(const struct exchange *exchange, struct buf *key)
{
	const struct request *request = &exchange->request;
	uint64_t numbers[] = {
		request->ndjson, exchange->gzip, request->route->id, connection_is_tcp(exchange->connection),
	};

	buf_put(key, (const char *)numbers, sizeof(numbers));
	for (int id = PARAM_none + 1; id < PARAMS; id++)
		put_key_param(key, (enum param_id)id, &request->values[id]);
}

static bool takes_max_age(const struct route *route)
{
	return route_param(route, "max_age_ms") != PARAM_none;
}

bool exchange_share(struct exchange *exchange, enum MHD_Result *ret_result)
{
	struct request *request = &exchange->request;
	const struct param_value *max_age = &request->values[PARAM_max_age_ms];
	bool walks = exchange->class != METER_CHEAP;
	bool crowded = connections_count(exchange->server->connections) >= COALESCE_CONNECTIONS;
	uint64_t age_us = walks ? 0 : COALESCE_US;
	struct flight *flight = NULL;
	enum flight_role role = FLIGHT_LEADS;
	struct buf key = { 0 };

	if (request->head || !takes_max_age(request->route))
		return false;
	if (!walks && (request->route->list || (!crowded && !max_age->given)))
		return false;
	if (max_age->given)
		age_us = max_age->number < FLIGHT_CACHE_MS ? max_age->number * 1000 : FLIGHT_CACHE_MS * 1000;
	put_key(exchange, &key);
	if (!key.failed)
		role = flight_enter(exchange->server->flights, request->caller, key.p, key.len, age_us,
				    max_age->given && !max_age->number, &flight);
	buf_free(&key);
	if (role == FLIGHT_LEADS) {
		exchange->flight = flight;
		return false;
	}
	if (role == FLIGHT_STALLED) {
		exchange_refuse(exchange, PROBLEM_TARGET_BLOCKED,
				"the same question has waited for the kernel for too long", NULL);
		exchange->reply.problem.retry_after_seconds = STALL_QUARANTINE_MS / 1000;
	} else if (role == FLIGHT_HAS_ANSWER) {
		*ret_result = deliver_answer(exchange, flight_answer(flight));
	} else {
		exchange_refuse(exchange, PROBLEM_TOO_MANY, "the same list is being sent to this caller already",
				"wait for it, or use another filter");
		exchange->reply.problem.retry_after_seconds = 1;
	}
	flight_leave(flight);
	return role == FLIGHT_HAS_ANSWER;
}
