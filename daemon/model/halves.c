/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/halves.h"

#include <pthread.h>
#include <stdbool.h>

#define WORTH_A_THREAD 50	/* processes, at some 10 us each */

struct second {
	void (*run)(void *arg, unsigned which);
	void *arg;
};

static void *run_second(void *arg)
{
	const struct second *second = arg;

	second->run(second->arg, 1);
	return NULL;
}

void halves_run(void (*run)(void *arg, unsigned which), void *arg, size_t count)
{
	struct second second = { run, arg };
	pthread_t thread;
	bool threaded = count >= WORTH_A_THREAD && pthread_create(&thread, NULL, run_second, &second) == 0;

	run(arg, 0);
	if (threaded)
		pthread_join(thread, NULL);
	else
		run(arg, 1);
}
