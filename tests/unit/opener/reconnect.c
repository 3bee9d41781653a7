/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Openers come and go; who asks them stays. What one has told is nothing to the next. */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opener/process/serve.h"

static struct serve_address address;
static int listener = -1, client = -1, accepted = -1;

static int set_up(void **state)
{
	(void)state;
	address.name.sun_family = AF_UNIX;
	snprintf(address.name.sun_path, sizeof(address.name.sun_path), "/tmp/unit-reconnect-%d", (int)getpid());
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address.name, sizeof(address.name)) < 0 || listen(listener, 8) < 0)
		return -1;
	address.len = sizeof(address.name);
	return getsockname(listener, (struct sockaddr *)&address.name, &address.len);
}

static int tear_down(void **state)
{
	(void)state;
	close(listener);
	return unlink(address.name.sun_path);
}

/* Each case has a client of its own: an opener that is left ends the connections of those that it knew. */
static int connect_client(void **state)
{
	(void)state;
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(client, (struct sockaddr *)&address.name, address.len) < 0)
		return -1;
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return accepted < 0;
}

static int close_client(void **state)
{
	(void)state;
	close(accepted);
	return close(client);
}

#define WITH_CLIENT(sentence, function) { sentence, function, connect_client, close_client, NULL }

/* board_fd: what it is to hand out, or -1. */
static pid_t start_opener(int board_fd, int *ret_control)
{
	struct serve_control control = { .role = SERVE_WORKER };
	struct serve_config config = { .controls = &control, .control_count = 1, .addresses = { address },
				       .address_count = 1, .board_fd = board_fd, .reload_fd = -1 };
	struct opener *opener;
	int ends[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		begin_child();
		close(ends[1]);
		close(client);
		close(accepted);
		control.fd = ends[0];
		_exit(opener_new_here("/proc", &opener, NULL) < 0 || serve(opener, &config) < 0);
	}
	close(ends[0]);
	*ret_control = ends[1];
	return pid;
}

static void kill_opener(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int list(struct opener *opener, const struct vmad_caller *caller)
{
	size_t count;
	pid_t *pids;
	int r = opener_list(opener, caller, &pids, &count, NULL);

	if (r == 0) {
		assert_true(count > 0);
		free(pids);
	}
	return r;
}

static void another_takes_its_place(void **state)
{
	struct vmad_caller *before, *caller;
	struct opener *opener;
	pid_t first, second;
	int control;

	(void)state;
	assert_int_equal(opener_new_remote(OPENER_REMOTE_THREADS, &opener, NULL), 0);
	assert_false(opener_is_there(opener));
	assert_int_equal(opener_ping(opener), -ENOTCONN);
	assert_int_equal(opener_identify(opener, accepted, &before, NULL), -ENOTCONN);

	first = start_opener(-1, &control);
	assert_int_equal(opener_connect(opener, control), 0);
	assert_true(opener_is_there(opener));
	assert_int_equal(opener_ping(opener), 0);
	assert_int_equal(opener_identify(opener, accepted, &before, NULL), 0);
	assert_true(opener_knows(opener, before));
	assert_int_equal(list(opener, before), 0);

	kill_opener(first);
	assert_int_equal(list(opener, before), -ENOTCONN);
	assert_int_equal(opener_ping(opener), -ENOTCONN);
	opener_disconnect(opener);
	assert_false(opener_is_there(opener));
	assert_false(opener_knows(opener, before));

	second = start_opener(-1, &control);
	assert_int_equal(opener_connect(opener, control), 0);
	assert_false(opener_knows(opener, before));
	assert_int_equal(opener_identify(opener, accepted, &caller, NULL), 0);
	assert_int_equal(list(opener, caller), 0);
	assert_int_equal(list(opener, before), -ENOTCONN);	/* and not whoever the second has at that number */
	opener_forget(opener, before);
	opener_forget(opener, caller);
	opener_free(opener);
	assert_int_equal(waitpid(second, NULL, 0), second);	/* it was told that this was all */
}

/* Who has begun a list asks for more before it is ended: if all channels were such lists', nobody would get on. */
static void lists_leave_a_channel(void **state)
{
	struct opener_listing *listings[OPENER_REMOTE_THREADS];
	struct vmad_caller *caller;
	struct opener *opener;
	size_t count, begun = 0;
	pid_t *pids, pid;
	int control;

	(void)state;
	pid = start_opener(-1, &control);
	assert_int_equal(opener_new_remote(OPENER_REMOTE_THREADS, &opener, NULL), 0);
	assert_int_equal(opener_connect(opener, control), 0);
	assert_int_equal(opener_identify(opener, accepted, &caller, NULL), 0);
	while (begun < OPENER_REMOTE_THREADS && (listings[begun] = opener_list_begin(opener, caller)))
		begun++;
	assert_int_equal(begun, OPENER_REMOTE_THREADS - 1);
	assert_int_equal(list(opener, caller), 0);
	while (begun-- > 0) {
		assert_int_equal(opener_list_end(opener, listings[begun], &pids, &count, NULL), 0);
		assert_true(count > 0);
		free(pids);
	}
	opener_forget(opener, caller);
	opener_free(opener);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void late_answers_are_not_mixed_up(void **state)
{
	struct stat st, given;
	struct opener *opener;
	int control, fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy;
	pid_t pid;

	(void)state;
	pid = start_opener(fd, &control);
	assert_int_equal(opener_new_remote(1, &opener, NULL), 0);
	assert_int_equal(opener_connect(opener, control), 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(opener_ping(opener), -ETIMEDOUT);
	assert_int_equal(kill(pid, SIGCONT), 0);
	copy = opener_board(opener);
	assert_true(copy >= 0);
	assert_true(fstat(fd, &st) == 0 && fstat(copy, &given) == 0 && st.st_rdev == given.st_rdev);
	close(copy);
	close(fd);
	assert_int_equal(opener_ping(opener), 0);
	opener_free(opener);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void nothing_is_published(void **state)
{
	struct opener *opener;
	int control;
	pid_t pid = start_opener(-1, &control);

	(void)state;
	assert_int_equal(opener_new_remote(1, &opener, NULL), 0);
	assert_int_equal(opener_connect(opener, control), 0);
	assert_int_equal(opener_board(opener), -ENOENT);
	opener_free(opener);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		WITH_CLIENT("one that is gone fails calls, another goes on, and knows nobody of the former's", another_takes_its_place),
		WITH_CLIENT("an answer that comes late is not taken for the next one's", late_answers_are_not_mixed_up),
		WITH_CLIENT("lists that are begun leave a channel for others", lists_leave_a_channel),
		WITH_CLIENT("without a sampler there is no board", nothing_is_published),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
