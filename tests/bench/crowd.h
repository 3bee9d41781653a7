/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crowd: very many clients from one thread that do not give up: who is sent away comes back. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>

struct crowd_result {
	uint64_t good;		/* answered with 200 */
	uint64_t refused;	/* answered with something else */
	uint64_t cut;		/* ended without an answer */
};

/*
 * So many clients, each with one request under way. trickle_ms: they send a byte of it at a time, and never the end; 0:
 * whole requests, one after the other. goes_on() is asked between, and told when the first of them is under way.
 */
struct crowd_result crowd(const char *where, const char *uri, unsigned clients, unsigned trickle_ms,
			  bool (*goes_on)(bool begun));

#endif
