/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet: what the targets share that speak as one of vmad's processes to another. */
#ifndef TESTS_FUZZ_PACKET_H
#define TESTS_FUZZ_PACKET_H

#include <unistd.h>

#include "fuzz.h"
#include "lib/packet.h"

/* The bytes, and copies of a descriptor: at most three. */
static inline void send_message(int fd, const void *data, size_t size, int sent, size_t count)
{
	const int fds[] = { sent, sent, sent };

	MUST(packet_send(fd, data, size, fds, count) == (ssize_t)size);
}

/* A descriptor that is the lowest free one before is so after: nothing was left open. */
static inline int lowest_free(void)
{
	int fd = dup(STDERR_FILENO);

	MUST(fd >= 0);
	close(fd);
	return fd;
}

#endif
