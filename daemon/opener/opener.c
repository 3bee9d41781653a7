/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/opener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "opener/identity.h"
#include "opener/threads.h"

int opener_new(const char *procfs, struct opener **ret_opener, struct vmad_error *err)
{
	struct opener *opener = calloc(1, sizeof(*opener));
	int r;

	if (!opener)
		return vmad_fail(err, ENOMEM, 0, NULL, "open");
	r = procfs_init(&opener->procfs, procfs);
	if (r < 0) {
		free(opener);
		return vmad_fail(err, -r, 0, NULL, "open");
	}
	opener->uid = geteuid();
	opener->can_change = identity_can_change();
	queue_init(&opener->queue);
	r = threads_start(opener);
	if (r < 0) {
		queue_destroy(&opener->queue);
		procfs_close(&opener->procfs);
		free(opener);
		return vmad_fail(err, -r, 0, NULL, "start");
	}
	*ret_opener = opener;
	return 0;
}

/* What a stuck thread still uses stays, for the rest of the process. */
void opener_free(struct opener *opener)
{
	if (!opener || !threads_stop(opener))
		return;
	queue_destroy(&opener->queue);
	procfs_close(&opener->procfs);
	free(opener);
}

_Bool opener_is_captured(const struct opener *opener)
{
	return opener->procfs.captured;
}

uid_t opener_uid(const struct opener *opener)
{
	return opener->uid;
}
