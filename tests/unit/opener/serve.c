/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control sockets of an opener's process: whom it goes on to hear, and who cannot keep it from that. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opener/process/serve.h"
#include "opener/wire.h"

#define PATIENCE_MS 10000
#define MORE_THAN_FIT 2000	/* replies; a socket has room for some hundreds */

struct served {
	pid_t pid;
	int worker, sampler;	/* their ends */
};

static int set_up(void **state)
{
	static struct served served;
	struct serve_control controls[] = { { .role = SERVE_WORKER }, { .role = SERVE_SAMPLER } };
	struct serve_config config = { .controls = controls, .control_count = 2, .board_fd = -1, .reload_fd = -1 };
	struct opener *opener;
	int worker[2], sampler[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, worker) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sampler) < 0)
		return -1;
	served = (struct served){ fork(), worker[1], sampler[1] };
	if (served.pid == 0) {
		begin_child();
		close(worker[1]);
		close(sampler[1]);
		controls[0].fd = worker[0];
		controls[1].fd = sampler[0];
		_exit(opener_new_here("/proc", &opener, NULL) < 0 || serve(opener, &config) < 0);
	}
	close(worker[0]);
	close(sampler[0]);
	*state = &served;
	return served.pid < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct served *served = *state;

	close(served->worker);
	close(served->sampler);
	return waitpid(served->pid, NULL, 0) == served->pid ? 0 : -1;
}

static int say(int fd, enum wire_operation operation)
{
	const struct wire_request request = { .operation = operation };

	return wire_send(fd, &request, sizeof(request), NULL, NULL);
}

/* What the next reply says. */
static int hear(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	struct wire_payload payload = { 0 };
	struct wire_reply reply;
	struct wire_fds fds;
	int r;

	assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
	r = wire_receive(fd, &reply, sizeof(reply), 0, &payload, &fds);
	wire_free(&payload);
	if (r < 0)
		return r;
	wire_close(&fds);
	return reply.result;
}

static int ask(int fd, enum wire_operation operation)
{
	int r = say(fd, operation);

	return r < 0 ? r : hear(fd);
}

static void a_sampler_that_breaks_the_rules(void **state)
{
	const struct served *served = *state;

	assert_int_equal(ask(served->sampler, WIRE_CHANNEL), 0);
	/* Neither is for a sampler, and neither has a reply. */
	assert_int_equal(say(served->sampler, WIRE_LIST), 0);
	assert_int_equal(say(served->sampler, WIRE_LEAVE), 0);
	assert_int_equal(send(served->sampler, "", 1, 0), 1);
	assert_int_equal(hear(served->sampler), -EPROTO);	/* to what is too short to be a request */
	assert_int_equal(ask(served->sampler, WIRE_CHANNEL), 0);
	assert_int_equal(ask(served->worker, WIRE_PING), 0);
}

static void a_sampler_that_takes_no_reply(void **state)
{
	const struct served *served = *state;
	struct pollfd room = { .fd = served->sampler, .events = POLLOUT };

	for (int i = 0; i < MORE_THAN_FIT; i++) {
		assert_int_equal(poll(&room, 1, PATIENCE_MS), 1);
		assert_int_equal(say(served->sampler, WIRE_PING), 0);
	}
	assert_int_equal(ask(served->worker, WIRE_PING), 0);
	assert_int_equal(ask(served->worker, WIRE_CHANNEL), 0);
}

static void a_worker_that_breaks_the_rules(void **state)
{
	struct served *served = *state;

	assert_int_equal(say(served->worker, WIRE_LIST), 0);
	assert_true(eventually(is_zombie, &served->pid));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a sampler that breaks the rules is refused, and the next one is heard by the same socket",
		     a_sampler_that_breaks_the_rules),
		CASE("a sampler that takes no reply keeps nobody waiting", a_sampler_that_takes_no_reply),
		CASE("a worker that breaks the rules is lost, and the opener ends with it", a_worker_that_breaks_the_rules),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
