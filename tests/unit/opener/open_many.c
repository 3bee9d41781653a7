/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many processes' files over some channels at once, from a stand-in for the opener's process: over one of the channels it
 * does as each case says. The file of process N is a pipe that has N in it.
 */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "opener/opener.h"
#include "opener/wire.h"

#define CHANNELS_MAX 64
#define PATIENCE_MS 10000
#define MANY 480
#define MISSING 7	/* each so-manieth process is not there */

/* Of a channel, from its second request on. */
enum manner { ANSWER, BE_SILENT, HANG_UP, REFUSE, SAY_TOO_MUCH };

struct stand_in {
	pthread_t thread;
	int control;
	int channels[CHANNELS_MAX];	/* -1: it was closed */
	size_t count;
	atomic_int manner;		/* of the odd channel: the first one that is asked to open */
	int odd;			/* or -1 */
	atomic_size_t asked;		/* requests that came over it */
	bool is_ahead;			/* its second one was there before the first was answered */
};

static struct stand_in stand_in;
static struct opener *opener;
static struct opener_target targets[MANY];
static unsigned char tried[MANY];

static int pipe_of(pid_t pid)
{
	int ends[2];

	if (pipe(ends) < 0 || write(ends[1], &pid, sizeof(pid)) != sizeof(pid))
		return -1;
	close(ends[1]);
	return ends[0];
}

static void answer(int fd, const struct wire_payload *payload, enum manner manner)
{
	const struct wire_target *wanted = (const struct wire_target *)payload->data;
	const size_t count = payload->len / sizeof(*wanted);
	struct wire_reply reply = { .bytes = (uint32_t)(count * sizeof(int32_t)) };
	int32_t codes[OPENER_BATCH] = { 0 };
	struct wire_fds fds = { 0 };

	for (size_t i = 0; i < count; i++) {
		codes[i] = wanted[i].pid % MISSING ? 0 : -ENOENT;
		if (!codes[i])
			fds.fd[fds.count++] = pipe_of(wanted[i].pid);
	}
	if (manner == SAY_TOO_MUCH)
		fds.fd[fds.count++] = pipe_of(0);
	if (manner == REFUSE) {
		reply = (struct wire_reply){ .result = -EPERM };
		wire_close(&fds);
	}
	wire_send(fd, &reply, sizeof(reply), codes, &fds);
	wire_close(&fds);
}

static enum manner manner_of(int fd)
{
	struct pollfd next = { .fd = fd, .events = POLLIN };

	if (stand_in.odd < 0)
		stand_in.odd = fd;
	if (stand_in.odd != fd)
		return ANSWER;
	if (atomic_fetch_add(&stand_in.asked, 1) == 0) {
		stand_in.is_ahead = poll(&next, 1, PATIENCE_MS) == 1;
		return ANSWER;
	}
	return (enum manner)atomic_load(&stand_in.manner);
}

/* False: it is over. */
static bool serve_channel(int fd)
{
	struct wire_payload payload = { 0 };
	struct wire_request request;
	struct wire_fds fds;
	enum manner manner = ANSWER;
	int r = wire_receive(fd, &request, sizeof(request), WIRE_PAYLOAD_MAX, &payload, &fds);

	if (r == 0 && request.operation == WIRE_OPEN) {
		manner = manner_of(fd);
		if (manner != BE_SILENT && manner != HANG_UP)
			answer(fd, &payload, manner);
	}
	wire_free(&payload);
	return r == 0 && manner != HANG_UP;
}

/* With the time limit that the opener sets. */
static void make_channel(void)
{
	const struct timeval timeout = { .tv_sec = OPENER_TIMEOUT_MS / 1000 };
	struct wire_reply reply = { 0 };
	struct wire_fds made = { .count = 1 };
	int ends[2];

	if (stand_in.count == CHANNELS_MAX || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	stand_in.channels[stand_in.count++] = ends[0];
	made.fd[0] = ends[1];
	wire_send(stand_in.control, &reply, sizeof(reply), NULL, &made);
	wire_close(&made);
}

/* False: who asks has left. */
static bool serve_control(void)
{
	struct wire_payload payload = { 0 };
	struct wire_request request;
	struct wire_fds fds;
	int r = wire_receive(stand_in.control, &request, sizeof(request), 0, &payload, &fds);

	if (r == 0 && request.operation == WIRE_CHANNEL)
		make_channel();
	wire_free(&payload);
	return r == 0 && request.operation == WIRE_CHANNEL;
}

static void *stand_in_run(void *unused)
{
	struct pollfd polled[CHANNELS_MAX + 1];
	bool goes_on = true;

	while (goes_on) {
		const size_t count = stand_in.count;

		for (size_t i = 0; i < count; i++)
			polled[i] = (struct pollfd){ .fd = stand_in.channels[i], .events = POLLIN };
		polled[count] = (struct pollfd){ .fd = stand_in.control, .events = POLLIN };
		poll(polled, count + 1, -1);
		for (size_t i = 0; i < count; i++) {
			if (polled[i].revents && !serve_channel(stand_in.channels[i])) {
				close(stand_in.channels[i]);
				stand_in.channels[i] = -1;
			}
		}
		if (polled[count].revents)
			goes_on = serve_control();
	}
	return unused;
}

static void begin(enum manner manner, unsigned channels)
{
	int ends[2];

	stand_in = (struct stand_in){ .manner = manner, .odd = -1 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	stand_in.control = ends[0];
	assert_int_equal(pthread_create(&stand_in.thread, NULL, stand_in_run, NULL), 0);
	assert_int_equal(opener_new_remote(channels, &opener, NULL), 0);
	assert_int_equal(opener_connect(opener, ends[1]), 0);
}

static void end(void)
{
	opener_free(opener);
	assert_int_equal(pthread_join(stand_in.thread, NULL), 0);
	for (size_t i = 0; i < stand_in.count; i++) {
		if (stand_in.channels[i] >= 0)
			close(stand_in.channels[i]);
	}
	close(stand_in.control);
}

static void note(void *unused, struct opener_target *some, size_t count)
{
	(void)unused;
	for (size_t i = 0; i < count; i++)
		tried[some + i - targets]++;
}

static int open_all(void)
{
	memset(tried, 0, sizeof(tried));
	for (int i = 0; i < MANY; i++)
		targets[i] = (struct opener_target){ .pid = i + 1, .want = OPENER_WANT(OPENER_PAGEMAP) };
	return opener_open_many(opener, people_root(), targets, MANY, note, NULL, NULL);
}

/* Each target has what it was told to have, and its own file; none is open any more then. So many were tried. */
static size_t check_and_close(void)
{
	size_t count = 0;

	for (int i = 0; i < MANY; i++) {
		int fd = targets[i].fd[OPENER_PAGEMAP];
		pid_t pid = 0;

		count += tried[i];
		if (!tried[i]) {
			assert_int_equal(fd, -EBADF);
		} else if ((i + 1) % MISSING == 0) {
			assert_int_equal(fd, -ENOENT);
		} else {
			assert_int_equal(read(fd, &pid, sizeof(pid)), sizeof(pid));
			assert_int_equal(pid, i + 1);
		}
		assert_in_range(tried[i], 0, 1);
		opener_target_close(&targets[i]);
	}
	return count;
}

static void each_has_its_own(void **state)
{
	size_t open_before = count_entries("/proc/self/fd");

	(void)state;
	begin(ANSWER, OPENER_REMOTE_THREADS);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(open_all(), 0);
		assert_int_equal(check_and_close(), MANY);
	}
	end();
	assert_int_equal(count_entries("/proc/self/fd"), open_before);
}

static void the_next_one_is_there(void **state)
{
	(void)state;
	begin(ANSWER, OPENER_REMOTE_THREADS);
	assert_int_equal(open_all(), 0);
	assert_int_equal(check_and_close(), MANY);
	end();
	assert_true(stand_in.is_ahead);
}

static void one_channel_is_enough(void **state)
{
	(void)state;
	begin(ANSWER, 1);
	assert_int_equal(open_all(), 0);
	assert_int_equal(check_and_close(), MANY);
	end();
}

/* What came before stays, nothing is left open, and the next question is answered. */
static void fails(enum manner manner, int code)
{
	size_t open_before = count_entries("/proc/self/fd"), count;

	begin(manner, OPENER_REMOTE_THREADS);
	assert_int_equal(open_all(), code);
	assert_true(atomic_load(&stand_in.asked) > 1);
	count = check_and_close();
	assert_in_range(count, 1, MANY - 1);
	atomic_store(&stand_in.manner, ANSWER);
	assert_int_equal(open_all(), 0);
	assert_int_equal(check_and_close(), MANY);
	end();
	assert_int_equal(count_entries("/proc/self/fd"), open_before);
}

static void one_is_silent(void **state)
{
	struct timeval before, now;

	(void)state;
	gettimeofday(&before, NULL);
	fails(BE_SILENT, -ETIMEDOUT);
	gettimeofday(&now, NULL);
	assert_true(now.tv_sec - before.tv_sec >= OPENER_TIMEOUT_MS / 1000 - 1);
}

static void one_hangs_up(void **state)
{
	(void)state;
	fails(HANG_UP, -ENOTCONN);
}

static void one_refuses(void **state)
{
	(void)state;
	fails(REFUSE, -EPERM);
}

static void one_says_too_much(void **state)
{
	(void)state;
	fails(SAY_TOO_MUCH, -EPROTO);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("each process has its own files, in whatever order they come", each_has_its_own),
		CASE("a channel's next request is there before the first one is answered", the_next_one_is_there),
		CASE("one channel is enough", one_channel_is_enough),
		CASE("a channel without an answer is given up in time, and no other", one_is_silent),
		CASE("a channel that is closed", one_hangs_up),
		CASE("a request that is refused", one_refuses),
		CASE("a reply with a descriptor too many, which is closed", one_says_too_much),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
