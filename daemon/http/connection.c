/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/connection.h"

#include <errno.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>

#include "clock/clock.h"
#include "http/connection_inside.h"

const struct listener *connection_listener(const struct connection *connection)
{
	return connection->listener;
}

int connection_fd(const struct connection *connection)
{
	return connection->fd;
}

bool connection_is_tcp(const struct connection *connection)
{
	return connection->peer.tcp;
}

bool connection_is_local(const struct connection *connection)
{
	return peer_is_local(&connection->peer);
}

enum connection_over connection_over(const struct connection *connection)
{
	return connection->over;
}

void connection_set_caller(struct connection *connection, struct vmad_caller *caller)
{
	connection->caller = caller;
}

const struct vmad_caller *connection_caller(const struct connection *connection)
{
	return connection->caller;
}

struct vmad_caller *connection_take_caller(struct connection *connection)
{
	struct vmad_caller *caller = connection ? connection->caller : NULL;

	if (connection)
		connection->caller = NULL;
	return caller;
}

uint64_t connection_takes_turn(struct connection *connection)
{
	return turn_take(connection->line, &connection->turn);
}

void connection_ends_turn(struct connection *connection)
{
	turn_end(connection->line, &connection->turn);
}

void connection_refuses(struct connection *connection)
{
	struct timespec due = clock_timespec(turn_line_refuses(connection->line));

	connection_ends_turn(connection);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
}

void connection_reads(struct connection *connection)
{
	atomic_store(&connection->due_us,
		     clock_us() + (connection->over ? OVER_DEADLINE_MS : HEADER_DEADLINE_MS) * 1000);
	atomic_store(&connection->reads, true);
}

/* In the connection's own thread, which is all that who=0 means on Linux. */
static void be_patient(struct connection *connection)
{
	if (connection->patience)
		setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + connection->patience);
	connection->patience = 0;
}

void connection_begins(struct connection *connection)
{
	enum stage stage = STAGE_ANSWERS;

	be_patient(connection);
	stall_begin(&connection->watch);
	atomic_compare_exchange_strong(&connection->stage, &stage, STAGE_ANSWERLESS);
	connection_works(connection);
}

bool connection_may_answer(struct connection *connection)
{
	enum stage stage = STAGE_ANSWERLESS;

	return atomic_compare_exchange_strong(&connection->stage, &stage, STAGE_ANSWERS);
}

void connection_works(struct connection *connection)
{
	stall_got_on();
	atomic_store(&connection->reads, false);
	atomic_store(&connection->due_us, 0);
}

void connection_sends(struct connection *connection, uint64_t bytes)
{
	atomic_store(&connection->due_us,
		     clock_us() + SEND_DEADLINE_MS * 1000 + bytes * 1000000 / SEND_BYTES_PER_SECOND);
}
