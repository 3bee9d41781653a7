/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire: what the opener's process and the others say to each other, over SOCK_SEQPACKET.
 *
 * A request is a struct wire_request and its payload; the reply is a struct wire_reply, its payload and descriptors
 * (SCM_RIGHTS). The payload's length is said in the head. What is longer than WIRE_PACKET goes on in further packets,
 * each as long as that, but for the last one. All of it is binary, in the host's own order, between programs that were
 * built together: there is no version, and nothing to parse.
 *
 * A control socket, one for each other process, makes channels: WIRE_CHANNEL is answered with a descriptor. Over a
 * channel goes one request after the other, and the next one may be there before the reply to the one before; the opener
 * has a thread for each channel. Who a socket's other end is, is fixed when the socket is made (serve.h), and nothing that
 * is sent over it changes that. What goes over the control socket is answered by a thread that touches no process.
 *
 * Requests, beside what they have in common (payload; -> result, payload, descriptors):
 *   CHANNEL                   (control socket)        -> a descriptor
 *   PING                      (control socket)        -> nothing: the opener answers
 *   BOARD                     (control socket)        -> a descriptor: what the sampler publishes, to be read only
 *   LEAVE                     (control socket)           no reply at all: it ends in good order
 *   IDENTIFY a descriptor, the client's socket        -> identity; groups (uint32_t)
 *   TOKEN    the same; the token's text               -> identity; groups (uint32_t)
 *   GRANT    caller                                   -> grant
 *   FORGET   caller                                      no reply at all
 *   LIST     caller                                   -> pids (int32_t)
 *   OPEN     caller; wire_target each                 -> int32_t for each file wanted, in order: a negative errno, or 0
 *                                                        for one descriptor
 *   SAME_MM  caller; pids (int32_t)                   -> groups (uint32_t; UINT32_MAX for OPENER_NO_MM)
 *   PATH     caller; the path's text                  -> path; a descriptor
 *   CACHE    caller, which, range; a descriptor       -> cache
 *   MAPPED   caller, pid, range                       -> mapped
 *   HOST     which                                    -> a descriptor
 *   FRAMES   caller, which                            -> a descriptor
 *   HELPER   caller                                   -> a descriptor
 */
#ifndef OPENER_WIRE_H
#define OPENER_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "opener/opener.h"

#define WIRE_PACKET (32 * 1024)		/* bytes of payload in a packet */
#define WIRE_PAYLOAD_MAX (4 * 1024 * 1024)
#define WIRE_TEXT_MAX 4096		/* bytes of a path or a token, with the 0 that is not sent */
#define WIRE_FDS_MAX 253		/* SCM_MAX_FD */

enum wire_operation {
	WIRE_CHANNEL,
	WIRE_IDENTIFY,
	WIRE_TOKEN,
	WIRE_GRANT,
	WIRE_FORGET,
	WIRE_LIST,
	WIRE_OPEN,
	WIRE_SAME_MM,
	WIRE_PATH,
	WIRE_CACHE,
	WIRE_MAPPED,
	WIRE_HOST,
	WIRE_FRAMES,
	WIRE_HELPER,
	WIRE_PING,
	WIRE_BOARD,
	WIRE_LEAVE,
	WIRE_OPERATIONS
};

struct wire_request {
	uint32_t bytes;			/* of payload */
	uint32_t operation;
	uint64_t caller;		/* what IDENTIFY or TOKEN has told; 0: none */
	int32_t pid;
	uint32_t which;			/* an enum of opener.h */
	uint64_t start, end;		/* or offset and length */
};

struct wire_target {
	int32_t pid;
	uint32_t want;
	uint64_t index, mask, value;	/* only_if */
};

struct wire_identity {
	uint64_t caller;
	uint32_t class, uid, gid;
};

struct wire_path {
	uint64_t device, inode, size_bytes;
	char line[OPENER_LINE_MAX];
};

struct wire_reply {
	uint32_t bytes;			/* of payload */
	int32_t result;			/* 0 or negative errno; then there is nothing else */
	union {
		struct wire_identity identity;
		struct wire_path path;
		struct opener_grant grant;
		struct opener_cache cache;
		struct opener_mapped mapped;
	};
};

/* A payload that comes in. All zero is a good start; freed with wire_free(). */
struct wire_payload {
	unsigned char *data;
	size_t len, room;
};

void wire_free(struct wire_payload *payload);

struct wire_fds {
	size_t count;
	int fd[WIRE_FDS_MAX];
};

void wire_close(struct wire_fds *fds);

/*
 * head is a wire_request or a wire_reply, whose bytes says how long the payload is. 0; -EPIPE, -ENOTCONN, -ECONNRESET:
 * the other end is gone; -EAGAIN: it does not take it in time (SO_SNDTIMEO); other negative errno.
 */
int wire_send(int fd, const void *head, size_t head_len, const void *payload, const struct wire_fds *fds);

/*
 * Receives as much, into *payload and *fds. -ENOTCONN: the other end is gone; -EAGAIN: it says nothing in time
 * (SO_RCVTIMEO); -EPROTO: it is not of this shape, or longer than max bytes; -EMFILE: descriptors came for which there
 * is no room; other negative errno. After an error no descriptor was received, and the socket is of no use any more, but
 * where all that comes is without a payload: then the next packet is the next request.
 */
int wire_receive(int fd, void *head, size_t head_len, size_t max, struct wire_payload *payload, struct wire_fds *fds);

#endif
