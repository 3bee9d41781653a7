/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * remote: the functions of opener.h where the opener is a process of its own: each is a message there and one back. What
 * they promise stands there. Besides, -ENOTCONN: the opener is gone, or the caller is.
 */
#ifndef OPENER_REMOTE_H
#define OPENER_REMOTE_H

#include <stdbool.h>

#include "opener/opener.h"

struct channel;
struct channels;

/* How a request went, for the metrics. */
void remote_count(int r);

/* A caller whom this opener has told of, and not one before it. */
bool remote_knows(struct channels *channels, const struct vmad_caller *caller);
int remote_identify(struct channels *channels, int socket_fd, const char *token, struct vmad_caller **ret_caller);
int remote_grant(struct channels *channels, const struct vmad_caller *caller, struct opener_grant *ret_grant);
void remote_forget(struct channels *channels, const struct vmad_caller *caller);
/* Who is not patient may have something else to ask before it is ended. */
int remote_list_begin(struct channels *channels, const struct vmad_caller *caller, bool patient,
		      struct channel **ret_channel);
int remote_list_end(struct channels *channels, struct channel *channel, pid_t **ret_pids, size_t *ret_count);
int remote_open(struct channels *channels, const struct vmad_caller *caller, struct opener_target *targets, size_t count);
int remote_open_many(struct channels *channels, const struct vmad_caller *caller, struct opener_target *targets,
		     size_t count, void (*each)(void *arg, struct opener_target *some, size_t count), void *arg);
int remote_same_mm(struct channels *channels, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		   size_t *ret_group);
int remote_open_path(struct channels *channels, const struct vmad_caller *caller, const char *path,
		     struct opener_path *ret_path);
int remote_cache(struct channels *channels, const struct vmad_caller *caller, int fd, enum opener_cache_source source,
		 uint64_t offset, uint64_t length, struct opener_cache *ret_cache);
int remote_mapped_file(struct channels *channels, const struct vmad_caller *caller, pid_t pid, uint64_t start,
		       uint64_t end, struct opener_mapped *ret_mapped);

/* caller NULL: for nobody. A descriptor, or negative errno. */
int remote_open_host(struct channels *channels, const struct vmad_caller *caller, enum opener_host_file file);

#endif
