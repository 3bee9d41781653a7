/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flood: many keep-alive connections from one thread, each with one request under way. */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include <stdint.h>

struct flood_result {
	uint64_t requests;	/* answered */
	uint64_t failed;	/* of them, not with 200 */
	uint64_t ns;		/* from the first request to the last answer that counts */
};

struct flood_result flood(const char *socket_path, const char *uri, unsigned connections, uint64_t ns);

#endif
