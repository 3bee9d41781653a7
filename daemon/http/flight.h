/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flight: equal questions of one caller share one answer. Who asks first leads; those who ask the same meanwhile wait
 * for that answer; and an answer may be taken again by those who said how old it may be (max_age_ms).
 *
 * Nothing is shared across identities, room neither: each identity has a shelf of its own for the answers that are kept
 * for it, and where that is full its own oldest one makes room. So however much one caller asks, the answer that is kept
 * for another stays where it is, and nobody learns from an answer's age how much others ask. There are only so many
 * shelves, some of them root's, and so many of one user's: for who comes when all have something on them nothing is
 * kept, until what lies there is forgotten.
 */
#ifndef HTTP_FLIGHT_H
#define HTTP_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include "vmad/caller.h"

#define FLIGHT_BODY_MAX (1024 * 1024)		/* a bigger reply streams, and is not shared */
#define FLIGHT_CACHE_MS 10000			/* an answer is forgotten after this */

#define FLIGHT_SHELF_BYTES (2 * 1024 * 1024)	/* of one identity's answers, 16 MiB in all */
#define FLIGHT_ENTRIES 256			/* as many are they */
#define FLIGHT_SHELVES_ROOT 2			/* identities for which answers are kept: root's (its groups tell them apart) */
#define FLIGHT_SHELVES_OTHERS 6			/* and others', */
#define FLIGHT_SHELVES_USER 2			/* of one uid so many */

/* An answer: a body that is as it was sent, but for the number at age_at. */
struct flight_answer {
	struct MHD_Response *response;	/* reference of its own: MHD counts them */
	unsigned status;
	char *body;			/* the uncompressed bytes, or NULL where nothing of it changes with age */
	size_t len;
	size_t age_at;			/* where "0" of age_ms stands in body */
	uint64_t made_us;
	size_t sent_len;		/* of the body as it is sent */
};

struct flights;
struct flight;

int flights_new(struct flights **ret_flights);
void flights_free(struct flights *flights);

enum flight_role {
	FLIGHT_LEADS,		/* make the answer, then flight_land() or flight_stream() */
	FLIGHT_HAS_ANSWER,	/* flight_answer(), then flight_leave() */
	FLIGHT_STALLED,		/* the leader is stuck on its process: 504; there is no flight */
	FLIGHT_STREAMS,		/* the same question is being answered by a stream: 429; flight_leave() */
};

/*
 * key: what is asked, and the form of the reply. asked_us: when the question was there; an answer that was made since then
 * is as good as one's own. max_age_us: how old an answer may be that was made before; a flight that is in the air is
 * always joined. Where that is 0 by the caller's own word (fresh), one makes one's own.
 */
enum flight_role flight_enter(struct flights *flights, const struct vmad_caller *caller, const void *key,
			      size_t key_len, uint64_t asked_us, uint64_t max_age_us, bool fresh,
			      struct flight **ret_flight);

/*
 * The leader's answer, for all. Takes body over and a reference of its own on the response. keep: may be taken again
 * later, where there is room for it.
 */
void flight_land(struct flight *flight, const struct flight_answer *answer, bool keep);

/* The leader's reply streams: those who wait are told so, and so are those who come until flight_leave(). */
void flight_stream(struct flight *flight);

const struct flight_answer *flight_answer(const struct flight *flight);

/* A leader that leaves without landing lets one of those who wait lead. */
void flight_leave(struct flight *flight);

#endif
