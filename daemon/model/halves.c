/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/halves.h"

#include <pthread.h>
#include <stdbool.h>

#include "stall/giveway.h"
#include "stall/stall.h"

#define WORTH_A_THREAD 50	/* processes, at some 10 us each */

struct second {
	void (*run)(void *arg, unsigned which);
	void *arg;
	struct stall_watch *watch;	/* of who waits for it */
	bool gives_way;			/* as that one */
};

static void *run_second(void *arg)
{
	const struct second *second = arg;

	stall_help(second->watch);
	giveway_set(second->gives_way);
	second->run(second->arg, 1);
	stall_turn_to(0);
	return NULL;
}

void halves_run(void (*run)(void *arg, unsigned which), void *arg, size_t count)
{
	struct second second = { run, arg, stall_own(), giveway_is_set() };
	pthread_t thread;
	bool threaded = count >= WORTH_A_THREAD && pthread_create(&thread, NULL, run_second, &second) == 0;

	run(arg, 0);
	if (!threaded)
		run(arg, 1);
	stall_turn_to(0);	/* who waits for a thread waits for no process: that one does */
	if (threaded)
		pthread_join(thread, NULL);
}
