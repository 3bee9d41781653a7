/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * channels: those to the opener's process, shared by the threads of this one. Each has a thread there. One that does not
 * answer in time is given up, and another takes its place: what is stuck in the kernel is the thread at its other end.
 *
 * Openers may come and go. Each has a number, its life; what one has told is nothing to the next.
 */
#ifndef OPENER_CHANNELS_H
#define OPENER_CHANNELS_H

#include <stdbool.h>

#include "opener/wire.h"

struct channel {
	int fd;
	unsigned life;				/* of the opener at its other end */
	uint64_t until;				/* ms: when the reply must be there; 0: as the socket's own timeout says */
	struct channel *next;			/* that is idle too */
	struct wire_reply reply;
	struct wire_payload payload;
	struct wire_fds fds;
};

struct channels;

/* There is no opener yet. At most so many channels. NULL: no memory. */
struct channels *channels_new(unsigned count);
/*
 * An opener is there, in the place of the one before: all channels to it are made at once. Takes control_fd over, in any
 * case. 0 or negative errno, as channels_call(): then there is none.
 */
int channels_connect(struct channels *channels, int control_fd);
/* It is gone: calls fail from now on. */
void channels_disconnect(struct channels *channels);
/* Tells it that this process ends in good order, so that it does not come again at once. */
void channels_leave(struct channels *channels);
/* Of the opener that is there; 0: there is none. */
unsigned channels_life(struct channels *channels);

/*
 * Asks over the control socket: whoever answers there touches no process, and so cannot be stuck on one. *ret_fd is the
 * descriptor that came, or -1. 0 or negative errno.
 */
int channels_ask_control(struct channels *channels, enum wire_operation operation, int *ret_fd);

/* Leaves. Nobody may use one. */
void channels_free(struct channels *channels);

/*
 * Sends a request with its payload and at most one descriptor (-1: none), and waits for the reply, at most
 * OPENER_TIMEOUT_MS in all. 0: *ret_channel holds the reply, until channels_give(); its result is not looked at.
 * -ETIMEDOUT; -ENOTCONN: the opener is gone; other negative errno.
 */
int channels_call(struct channels *channels, const struct wire_request *request, const void *payload, int fd,
		  struct channel **ret_channel);

/*
 * Its two halves, for several requests at once. Who waits while it has channels of its own may wait for others that do
 * so too: only who has none may wait, or who leaves one for all to use, one after the other. -EAGAIN: there is none just
 * now. After channels_end() has failed there is no channel any more.
 */
enum channels_patience {
	CHANNELS_WAIT,			/* until one is free: for who has none */
	CHANNELS_IDLE,			/* one that is free, if there is one: for who waits for no further one */
	CHANNELS_SPARE,			/* likewise, if it is not the last one: for who goes on to ask by others */
};
int channels_begin(struct channels *channels, enum channels_patience patience, const struct wire_request *request,
		   const void *payload, int fd, struct channel **ret_channel);
int channels_end(struct channels *channels, struct channel *channel);

/*
 * A further request over a channel, while the reply to the one before is still to come; it is worked on, and answered, after
 * that. Each is ended by itself. After channels_end() has failed none of those behind it is answered.
 */
int channels_more(struct channel *channel, const struct wire_request *request, const void *payload);

/* Closes the descriptors that are left in it. */
void channels_give(struct channels *channels, struct channel *channel);

/* Sends a request that is not answered; not, where that would take waiting. */
void channels_tell(struct channels *channels, const struct wire_request *request);

#endif
