/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * room: where connections wait that are too many even to be told so: nothing is made for them, no thread, and nothing is
 * read. They leave one at a time, in the order in which they came.
 *
 * Whoever is cut off at once comes back at once, and to connect costs a client ten times what a request does, in one piece
 * that nobody else gets the CPU in: 184 who came back ten times a second ran for up to 4 milliseconds at a time.
 */
#ifndef HTTP_ROOM_H
#define HTTP_ROOM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ROOM_PLACES 256
#define ROOM_STEP_MS 10		/* between two that leave: as often as one of a peer's is refused, see turns.h */
#define ROOM_STAY_MS 2000	/* whose turn comes later than that, and in vain, need not come in again */

struct guest {
	int fd;
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in6 in6;
	} address;		/* of a Unix socket's peer its beginning, which is its family */
	uint64_t since_us;	/* by clock_us() */
};

/* All zero is an empty one. */
struct room {
	struct guest guests[ROOM_PLACES];
	unsigned first, count;
	uint64_t due_us;
};

/* The last of those in it. False: it is full. */
bool room_enter(struct room *room, const struct guest *guest, uint64_t now);
/* The first of them, if it is time for one; its descriptor is the caller's. False: not yet, or there is none. */
bool room_leave(struct room *room, uint64_t now, struct guest *ret_guest);
/* The next one leaves at once. */
void room_hurry(struct room *room);
/* Until then, as poll(2) takes it: -1 where it is empty. */
int room_wait_ms(const struct room *room, uint64_t now);
bool room_may_stay(const struct guest *guest, uint64_t now);

#endif
