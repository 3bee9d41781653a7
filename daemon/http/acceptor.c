/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define STACK_BYTES (128 * 1024)
#define REST_MS 10	/* without descriptors or memory for another one */

struct acceptor {
	struct connections *connections;
	struct listener *listener;
	struct MHD_Daemon *daemon;
	int stop_fd;
	pthread_t thread;
};

/* libmicrohttpd closes the socket where it does not take it. */
static void hand_over(struct acceptor *acceptor, int fd, const struct sockaddr *address, socklen_t len)
{
	uint64_t number = connection_new(acceptor->connections, acceptor->listener, fd, address);

	if (!number)
		close(fd);
	else if (MHD_add_connection(acceptor->daemon, fd, address, len) != MHD_YES)
		connection_drop(acceptor->connections, number);
}

/* Takes all that wait. False: it has to rest. */
static bool accept_all(struct acceptor *acceptor)
{
	for (;;) {
		struct sockaddr_storage address = { 0 };
		socklen_t len = sizeof(address);
		int fd = accept4(acceptor->listener->fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			hand_over(acceptor, fd, (struct sockaddr *)&address, len);
		else if (errno != EINTR && errno != ECONNABORTED)
			return errno == EAGAIN;
	}
}

static void *run(void *arg)
{
	struct acceptor *acceptor = arg;
	bool rests = false;

	for (;;) {
		struct pollfd polled[] = { { .fd = acceptor->stop_fd, .events = POLLIN },
					   { .fd = rests ? -1 : acceptor->listener->fd, .events = POLLIN } };

		if (poll(polled, 2, rests ? REST_MS : -1) < 0 && errno != EINTR)
			rests = true;
		if (polled[0].revents)
			return NULL;
		rests = !accept_all(acceptor);
	}
}

static int start_thread(struct acceptor *acceptor)
{
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r)
		return -r;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	r = pthread_create(&acceptor->thread, &attr, run, acceptor);
	pthread_attr_destroy(&attr);
	return -r;
}

int acceptor_start(struct connections *connections, struct listener *listener, struct MHD_Daemon *daemon,
		   struct acceptor **ret_acceptor)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));
	int flags = fcntl(listener->fd, F_GETFL), r = 0;

	if (!acceptor)
		return -ENOMEM;
	*acceptor = (struct acceptor){ connections, listener, daemon, .stop_fd = eventfd(0, EFD_CLOEXEC) };
	if (acceptor->stop_fd < 0 || flags < 0 || fcntl(listener->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		r = -errno;
	if (r == 0)
		r = start_thread(acceptor);
	if (r < 0) {
		if (acceptor->stop_fd >= 0)
			close(acceptor->stop_fd);
		free(acceptor);
		return r;
	}
	*ret_acceptor = acceptor;
	return 0;
}

void acceptor_stop(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	eventfd_write(acceptor->stop_fd, 1);
	pthread_join(acceptor->thread, NULL);
	close(acceptor->stop_fd);
	free(acceptor);
}
