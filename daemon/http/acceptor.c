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

#include "clock/clock.h"
#include "http/room.h"
#include "meter/meter.h"

#define STACK_BYTES (128 * 1024)
#define REST_MS 10		/* without descriptors or memory for another one */
#define SEATED_BYTES 8192

struct acceptor {
	struct connections *connections;
	struct listener *listener;
	struct MHD_Daemon *daemon;
	int stop_fd;
	pthread_t thread;
	struct room room;	/* the thread's own */
};

/* libmicrohttpd closes the socket where it does not take it. False: it is one too many. */
static bool hand_over(struct acceptor *acceptor, const struct guest *guest)
{
	uint64_t number = connection_new(acceptor->connections, acceptor->listener, guest->fd, &guest->address.any);

	if (!number)
		return false;
	if (MHD_add_connection(acceptor->daemon, guest->fd, &guest->address.any, guest->len) != MHD_YES)
		connection_drop(acceptor->connections, number);
	return true;
}

static void turn_away(const struct guest *guest)
{
	meter_add(METER_REJECTED, "connections", NULL, 1);
	close(guest->fd);
}

/* Nobody reads what it sends while it waits: the kernel need not keep much of that. */
static void seat(struct acceptor *acceptor, const struct guest *guest)
{
	if (!room_enter(&acceptor->room, guest, guest->since_us))
		turn_away(guest);
	else if (acceptor->listener->kind == LISTENER_TCP)
		setsockopt(guest->fd, SOL_SOCKET, SO_RCVBUF, &(int){ SEATED_BYTES }, sizeof(int));
}

static bool has_left(const struct guest *guest)
{
	char byte;

	return recv(guest->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* One of those that wait, if it is time. */
static void call_in(struct acceptor *acceptor)
{
	uint64_t now = clock_us();
	struct guest guest;

	if (!room_leave(&acceptor->room, now, &guest))
		return;
	if (has_left(&guest)) {
		close(guest.fd);
		room_hurry(&acceptor->room);
	} else if (!hand_over(acceptor, &guest) &&
		   !(room_may_stay(&guest, now) && room_enter(&acceptor->room, &guest, now))) {
		turn_away(&guest);
	}
}

/* Who waits makes room where there is none left for descriptors. */
static void send_home(struct acceptor *acceptor)
{
	struct guest guest;

	for (room_hurry(&acceptor->room); room_leave(&acceptor->room, clock_us(), &guest); room_hurry(&acceptor->room))
		turn_away(&guest);
}

/* Takes all that come. False: it has to rest. */
static bool accept_all(struct acceptor *acceptor)
{
	for (;;) {
		struct guest guest = { .len = sizeof(guest.address), .since_us = clock_us() };

		guest.fd = accept4(acceptor->listener->fd, &guest.address.any, &guest.len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (guest.len > sizeof(guest.address))
			guest.len = sizeof(guest.address);
		if (guest.fd < 0 && errno != EINTR && errno != ECONNABORTED)
			return errno == EAGAIN;
		if (guest.fd >= 0 && !hand_over(acceptor, &guest))
			seat(acceptor, &guest);
	}
}

static int wait_ms(const struct acceptor *acceptor, bool rests)
{
	return rests ? REST_MS : room_wait_ms(&acceptor->room, clock_us());
}

static void *run(void *arg)
{
	struct acceptor *acceptor = arg;
	bool rests = false;

	for (;;) {
		struct pollfd polled[] = { { .fd = acceptor->stop_fd, .events = POLLIN },
					   { .fd = rests ? -1 : acceptor->listener->fd, .events = POLLIN } };
		int r = poll(polled, 2, wait_ms(acceptor, rests));

		if (polled[0].revents)
			return NULL;
		call_in(acceptor);
		rests = (r < 0 && errno != EINTR) || !accept_all(acceptor);
		if (rests)
			send_home(acceptor);
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
	send_home(acceptor);
	close(acceptor->stop_fd);
	free(acceptor);
}
