/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turns: of one peer's requests only so many are worked on at once while other peers ask, too; the others of that peer
 * wait in their order. Nobody waits for another's: so what a peer takes of the CPUs, of the opener's threads and of
 * locks does not grow with its connections, and what it gives way in is its own time. Each peer has a line of its own,
 * with a lock of its own: a thread that loses the CPU while it holds that is waited for by its own peer's alone.
 *
 * A peer that is alone is not held up, and pays for no lock. A turn ends by itself after TURN_MS, so that a
 * reader who takes nothing, and what takes long, do not stop the rest.
 */
#ifndef HTTP_TURNS_H
#define HTTP_TURNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define TURN_MS 10
#define REFUSALS_AT_ONCE 16	/* of one peer's requests, and then */
#define REFUSAL_MS 10		/* one in so long */
#define TURNS_BESIDE_MS 200	/* for so long after a request of another peer one is not alone */

enum turn_state { TURN_NONE, TURN_WAITING, TURN_HAD };

struct turns;
struct turn_line;

struct turn {
	struct turn *next;
	uint64_t until_us;
	pthread_cond_t comes;
	bool taken;		/* its owner's */
	enum turn_state state;
};

/* at_once: so many of a peer's. 0 or -ENOMEM. */
int turns_new(unsigned at_once, unsigned turn_ms, struct turns **ret_turns);
void turns_free(struct turns *turns);

/* Half as many as there are CPUs, at least one: the other half is the others'. */
unsigned turns_at_once(void);

/* The line of a peer, by a number that no other has: each who joined leaves once. NULL: no memory. */
struct turn_line *turn_line_join(struct turns *turns, uint64_t peer);
void turn_line_leave(struct turn_line *line);
/*
 * One of its requests is refused, and told to come back later: from when on, by clock_us(). So many at once are told so
 * at once; who comes back all the same, and at once, waits for the next refusal.
 */
uint64_t turn_line_refuses(struct turn_line *line);
/* So many wait. */
unsigned turn_line_waiting(struct turn_line *line);

/* All zero is a turn that was not taken. The moment when it came, by clock_us(). */
uint64_t turn_take(struct turn_line *line, struct turn *turn);
/* Nothing where it was not taken, or has ended. */
void turn_end(struct turn_line *line, struct turn *turn);

#endif
