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

/* What walks is shared in any case; a small document where many ask, or where it may be older; other lists never. */
static bool may_share(const struct exchange *exchange)
{
	const struct request *request = &exchange->request;

	if (request->head || !takes_max_age(request->route))
		return false;
	if (exchange->class != METER_CHEAP)
		return true;
	return !request->route->list && (request->values[PARAM_max_age_ms].given ||
					 connections_count(exchange->server->connections) >= COALESCE_CONNECTIONS);
}

static uint64_t greatest_age_us(const struct exchange *exchange)
{
	const struct param_value *max_age = &exchange->request.values[PARAM_max_age_ms];

	if (max_age->given)
		return (max_age->number < FLIGHT_CACHE_MS ? max_age->number : FLIGHT_CACHE_MS) * 1000;
	return exchange->class == METER_CHEAP ? COALESCE_US : 0;
}

/* FLIGHT_LEADS also without memory: then it is not shared. */
static enum flight_role enter(struct exchange *exchange, struct flight **ret_flight)
{
	const struct param_value *max_age = &exchange->request.values[PARAM_max_age_ms];
	enum flight_role role = FLIGHT_LEADS;
	struct buf key = { 0 };

	*ret_flight = NULL;
	put_key(exchange, &key);
	if (!key.failed)
		role = flight_enter(exchange->server->flights, exchange->request.caller, key.p, key.len,
				    exchange->asked_us, greatest_age_us(exchange), max_age->given && !max_age->number,
				    ret_flight);
	buf_free(&key);
	return role;
}

bool exchange_share(struct exchange *exchange, enum MHD_Result *ret_result)
{
	struct flight *flight;
	enum flight_role role;

	if (!may_share(exchange))
		return false;
	role = enter(exchange, &flight);
	switch (role) {
	case FLIGHT_LEADS:
		exchange->flight = flight;
		return false;
	case FLIGHT_HAS_ANSWER:
		*ret_result = deliver_answer(exchange, flight_answer(flight));
		break;
	case FLIGHT_STALLED:
		exchange_refuse(exchange, PROBLEM_TARGET_BLOCKED,
				"the same question has waited for the kernel for too long", NULL);
		exchange->reply.problem.retry_after_seconds = STALL_QUARANTINE_MS / 1000;
		break;
	case FLIGHT_STREAMS:
		exchange_refuse(exchange, PROBLEM_TOO_MANY, "the same list is being sent to this caller already",
				"wait for it, or use another filter");
		exchange->reply.problem.retry_after_seconds = 1;
		break;
	}
	flight_leave(flight);
	return role == FLIGHT_HAS_ANSWER;
}
