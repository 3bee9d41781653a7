/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure VERB ...: times one thing, for bench.py. One client for all servers and all peers: what comes is read and thrown
 * away. Results are "name=value" words on one line.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crowd.h"
#include "flood.h"
#include "http.h"

#define LATENCIES_MAX (1 << 20)
#define TAIL_BYTES 4096

static char bytes[HTTP_SMALL_MAX];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A load tells the first byte that it got: from there on it is a load. */
static void announce(void)
{
	static bool announced;

	if (announced)
		return;
	announced = true;
	puts("begun");
	fflush(stdout);
}

static uint64_t read_whole(const char *path, bool load)
{
	uint64_t total = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		total += (uint64_t)n;
		if (load)
			announce();
	}
	if (n < 0)
		die(path);
	close(fd);
	return total;
}

static int verb_read(char **argv)
{
	uint64_t begin = now_ns(), total = read_whole(argv[0], false);

	printf("ns=%" PRIu64 " bytes=%" PRIu64 "\n", now_ns() - begin, total);
	return 0;
}

struct fetched {
	uint64_t bytes;
	int status;
	char tail[TAIL_BYTES + 1];	/* the last bytes, where a list has its verdict */
};

static void keep_tail(struct fetched *fetched, size_t *tail_len, const char *from, size_t len)
{
	if (len >= TAIL_BYTES) {
		memcpy(fetched->tail, from + len - TAIL_BYTES, TAIL_BYTES);
		*tail_len = TAIL_BYTES;
		return;
	}
	size_t keep = *tail_len + len > TAIL_BYTES ? TAIL_BYTES - len : *tail_len;
	memmove(fetched->tail, fetched->tail + *tail_len - keep, keep);
	memcpy(fetched->tail + keep, from, len);
	*tail_len = keep + len;
}

/* pause_us after each recv() makes a slow reader; a load announces itself. */
static void fetch(const char *socket_path, const char *uri, unsigned pause_us, bool load, struct fetched *fetched)
{
	char request[HTTP_REQUEST_MAX];
	size_t len = http_request(request, uri, false), tail_len = 0;
	int fd = http_connect(socket_path);
	ssize_t n;

	fetched->bytes = 0;
	http_send(fd, request, len);
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		if (!fetched->bytes)
			fetched->status = http_status(bytes, (size_t)n);
		fetched->bytes += (uint64_t)n;
		keep_tail(fetched, &tail_len, bytes, (size_t)n);
		if (pause_us)
			usleep(pause_us);
		if (load)
			announce();
	}
	if (n < 0)
		die("recv");
	close(fd);
	fetched->tail[tail_len] = '\0';
}

static int verb_get(char **argv)
{
	static struct fetched fetched;
	uint64_t begin = now_ns();

	fetch(argv[0], argv[1], argv[2] ? (unsigned)atoi(argv[2]) : 0, false, &fetched);
	uint64_t ns = now_ns() - begin;
	const char *count = strstr(fetched.tail, "\"count\":");
	printf("ns=%" PRIu64 " bytes=%" PRIu64 " status=%d count=%ld complete=%d\n", ns, fetched.bytes, fetched.status,
	       count ? atol(count + 8) : -1, strstr(fetched.tail, "\"complete\":true") != NULL);
	return 0;
}

static void run_quietly(char **argv)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	execvp(argv[0], argv);
	_exit(127);
}

static int verb_run(char **argv)
{
	struct rusage usage;
	uint64_t begin = now_ns();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		run_quietly(argv);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		die(argv[0]);
	printf("ns=%" PRIu64 " peak_bytes=%ld\n", now_ns() - begin, usage.ru_maxrss * 1024);
	return status ? 1 : 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Waits for the request's turn; what is late already counts from when its turn was, so that a stall is not hidden. */
static uint64_t wait_for_turn(uint64_t turn_ns)
{
	struct timespec t = { .tv_sec = (time_t)(turn_ns / 1000000000), .tv_nsec = (long)(turn_ns % 1000000000) };

	if (now_ns() >= turn_ns)
		return turn_ns;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	return now_ns();
}

static int exchange_on(int *fd, const char *socket_path, bool keep, const char *request, size_t len, size_t *ret_bytes)
{
	if (*fd < 0)
		*fd = http_connect(socket_path);
	int status = http_exchange(*fd, request, len, bytes, ret_bytes);
	if (!keep) {
		close(*fd);
		*fd = -1;
	}
	return status;
}

/* Small requests for so many milliseconds, one each so many microseconds (0: one after the other). */
static int verb_latency(char **argv)
{
	static uint64_t ns[LATENCIES_MAX];
	char request[HTTP_REQUEST_MAX];
	bool keep = !strcmp(argv[2], "keep");
	size_t len = http_request(request, argv[1], keep), n = 0, failed = 0, got;
	uint64_t begin = now_ns(), end = begin + strtoull(argv[3], NULL, 10) * 1000000;
	uint64_t interval = strtoull(argv[4], NULL, 10) * 1000;
	int fd = -1;

	do {
		uint64_t turn = interval ? wait_for_turn(begin + n * interval) : now_ns();
		failed += exchange_on(&fd, argv[0], keep, request, len, &got) != 200;
		ns[n++] = now_ns() - turn;
	} while (now_ns() < end && n < LATENCIES_MAX);
	qsort(ns, n, sizeof(*ns), compare);
	printf("requests=%zu failed=%zu p50_ns=%" PRIu64 " p99_ns=%" PRIu64 " max_ns=%" PRIu64 " bytes=%zu\n",
	       n, failed, ns[n / 2], ns[n * 99 / 100], ns[n - 1], got);
	return 0;
}

static int stdin_open(int wait_ms)
{
	return poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, wait_ms) == 0;
}

/* Load in the background until stdin ends. A refusal (429, 503) is counted, and answered with a short rest. */
static int verb_load_get(char **argv)
{
	static struct fetched fetched;
	uint64_t good = 0, refused = 0;

	while (stdin_open(0)) {
		fetch(argv[0], argv[1], 0, true, &fetched);
		if (fetched.status == 200) {
			good++;
		} else {
			refused++;
			stdin_open(20);
		}
	}
	printf("good=%" PRIu64 " refused=%" PRIu64 "\n", good, refused);
	return 0;
}

static int verb_load_read(char **argv)
{
	uint64_t good = 0;

	while (stdin_open(0)) {
		read_whole(argv[0], true);
		good++;
	}
	printf("good=%" PRIu64 " refused=0\n", good);
	return 0;
}

static int verb_flood(char **argv)
{
	uint64_t ns = strtoull(argv[3], NULL, 10) * 1000000;
	struct flood_result result = flood(argv[0], argv[1], (unsigned)atoi(argv[2]), ns);

	printf("requests=%" PRIu64 " failed=%" PRIu64 " ns=%" PRIu64 "\n", result.requests, result.failed, result.ns);
	return 0;
}

static bool goes_on(bool begun)
{
	if (begun)
		announce();
	return stdin_open(0);
}

static int verb_load_crowd(char **argv)
{
	struct crowd_result result = crowd(argv[0], argv[1], (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]), goes_on);

	printf("good=%" PRIu64 " refused=%" PRIu64 " cut=%" PRIu64 "\n", result.good, result.refused, result.cut);
	return 0;
}

/* Takes connections on a socket of its own and closes them, until stdin ends. */
static int verb_close(char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pollfd polled[] = { { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN },
				   { .fd = STDIN_FILENO, .events = POLLIN } };

	if (strlen(argv[0]) >= sizeof(address.sun_path))
		die(argv[0]);
	strcpy(address.sun_path, argv[0]);
	if (bind(polled[0].fd, (struct sockaddr *)&address, sizeof(address)) || listen(polled[0].fd, SOMAXCONN))
		die(argv[0]);
	announce();
	while (poll(polled, 2, -1) > 0 && !polled[1].revents) {
		int fd = accept4(polled[0].fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			close(fd);
	}
	close(polled[0].fd);
	return 0;
}

static const struct verb {
	const char *name, *arguments;
	int least;
	int (*run)(char **argv);
} verbs[] = {
	{ "read", "FILE", 1, verb_read },
	{ "get", "SOCKET URI [PAUSE_US]", 2, verb_get },
	{ "run", "COMMAND [ARGUMENT]...", 1, verb_run },
	{ "latency", "SOCKET URI keep|new MILLISECONDS INTERVAL_US", 5, verb_latency },
	{ "load-get", "SOCKET URI", 2, verb_load_get },
	{ "load-read", "FILE", 1, verb_load_read },
	{ "load-crowd", "SOCKET URI CLIENTS TRICKLE_MS", 4, verb_load_crowd },
	{ "close", "SOCKET", 1, verb_close },
	{ "flood", "SOCKET URI CONNECTIONS MILLISECONDS", 4, verb_flood },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(argv[1], verbs[i].name) && argc - 2 >= verbs[i].least)
			return verbs[i].run(argv + 2);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		fprintf(stderr, "usage: measure %s %s\n", verbs[i].name, verbs[i].arguments);
	return 2;
}
