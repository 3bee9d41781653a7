/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "endpoint/endpoint.h"
#include "model/kind.h"
#include "http/tls.h"
#include "opener/opener.h"
#include "source/facts_thread.h"
#include "source/mmap_rules.h"
#include "source/pagemap_scan.h"
#include "source/procmap_query.h"
#include "web/web.h"

struct worker {
	struct endpoint_context context;
	struct server *server;
};

void worker_learn(void)
{
	tzset();	/* else the first one who asks what time it is waits for a file of zones */
	mmap_rules_learn();
	pagemap_scan_categories();
	procmap_query_available();
	kind_learn_devices();
}

/* Once: what was opened stays good, whichever opener did it. */
static void open_host_files(struct endpoint_context *context)
{
	const struct { atomic_int *fd; enum opener_host_file file; } files[] = {
		{ &context->vma_limit_fd, OPENER_HOST_VMA_LIMIT },
		{ &context->mountinfo_fd, OPENER_HOST_MOUNTINFO },
		{ &context->min_address_fd, OPENER_HOST_MMAP_MIN_ADDR },
		{ &context->overcommit_fd, OPENER_HOST_OVERCOMMIT },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		bool is_new = *files[i].fd < 0;

		if (is_new)
			*files[i].fd = opener_open_host(context->opener, files[i].file);
		if (is_new && *files[i].fd >= 0 && files[i].file == OPENER_HOST_MOUNTINFO)
			kind_learn_mounts(*files[i].fd);
	}
}

static void follow_board(struct endpoint_context *context)
{
	int fd = context->board ? opener_board(context->opener) : -ENOENT;

	if (fd < 0)
		return;
	metrics_follow(context->board, fd);
	close(fd);
}

static void open_context(struct endpoint_context *context, const struct daemon *daemon, struct opener *opener)
{
	*context = (struct endpoint_context){
		.opener = opener,
		.procfs = daemon->procfs,
		.vma_limit_fd = -1,
		.mountinfo_fd = -1,
		.min_address_fd = -1,
		.overcommit_fd = -1,
		.board = daemon->board,
		.metrics = daemon->options.metrics,
	};
	open_host_files(context);
	follow_board(context);
}

/* A listener of all addresses is on this host too: what a browser here calls it. */
static const char *browsers_name(const char *address, size_t *ret_skip)
{
	static const char *const all[] = { "0.0.0.0:", "[::]:" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		*ret_skip = strlen(all[i]);
		if (!strncmp(address, all[i], *ret_skip))
			return "localhost:";
	}
	*ret_skip = 0;
	return "";
}

static void find_page(struct endpoint_context *context, const struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->sockets.count; i++) {
		const struct listener *listener = &daemon->sockets.list[i];
		const char *address = listener->name + strlen("tcp:"), *name;
		size_t skip;

		if (listener->kind != LISTENER_TCP)
			continue;
		name = browsers_name(address, &skip);
		snprintf(context->page, sizeof(context->page), "%s://%s%s/", daemon->tls ? "https" : "http", name,
			 address + skip);
		return;
	}
}

static void close_context(struct endpoint_context *context)
{
	const int fds[] = { context->vma_limit_fd, context->mountinfo_fd, context->min_address_fd,
			    context->overcommit_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	opener_free(context->opener);
}

struct worker *worker_start(struct daemon *daemon, struct opener *opener)
{
	struct server_config config = {
		.opener = opener,
		.handlers = endpoint_handlers,
		.is_open = endpoint_is_open,
		.site = web_files,
		.tls = daemon->tls,
	};
	struct worker *worker = calloc(1, sizeof(*worker));
	int r = -ENOMEM;

	if (worker) {
		facts_thread_start();
		open_context(&worker->context, daemon, opener);
		find_page(&worker->context, daemon);
		config.context = &worker->context;
		memcpy(config.hosts, daemon->options.allow_host, sizeof(config.hosts));
		if (daemon->tls)
			tls_use(daemon->tls);
		daemon->tls = NULL;
		r = server_start(&config, daemon->sockets.list, daemon->sockets.count, &worker->server);
	}
	if (r == 0)
		return worker;
	fprintf(stderr, "vmad: cannot serve: %s\n", strerror(-r));
	if (worker)
		close_context(&worker->context);
	else
		opener_free(opener);
	free(worker);
	return NULL;
}

void worker_meets_opener(struct worker *worker)
{
	open_host_files(&worker->context);
	follow_board(&worker->context);
}

bool worker_gets_on(struct worker *worker)
{
	return server_gets_on(worker->server);
}

bool worker_stop(struct worker *worker)
{
	if (!server_stop(worker->server))
		return false;
	metrics_forget();
	close_context(&worker->context);
	free(worker);
	return true;
}
