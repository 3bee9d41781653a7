/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/tls.h"

static bool complain(const char *path, const char *what)
{
	fprintf(stderr, "vmad: %s: %s\n", path, what);
	return false;
}

/* In the process that ends: its exit status. */
static int prove(const struct options *options)
{
	const char *path, *what;
	struct tls *tls;

	if (tls_read(options->tls_cert, options->tls_key, &tls, &path, &what) < 0) {
		complain(path, what);
		return 1;
	}
	tls_free(tls);
	return 0;
}

static bool are_proved(const struct options *options)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int r = prove(options);

		fflush(NULL);
		_exit(r);
	}
	if (pid < 0)
		return complain("fork", strerror(errno));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return complain("waitpid", strerror(errno));
	}
	if (WIFSIGNALED(status))
		return complain(options->tls_key, "reading it came to a sudden end");
	return WEXITSTATUS(status) == 0;
}

/* A copy that the kernel makes, or negative errno. */
static int copy_of(int fd)
{
	int copy = memfd_create("vmad-tls", MFD_CLOEXEC);
	struct stat st;
	off_t at = 0;

	if (copy < 0 || fstat(fd, &st) < 0)
		goto failed;
	while (at < st.st_size) {
		ssize_t n = sendfile(copy, fd, &at, (size_t)(st.st_size - at));

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			goto failed;
	}
	return copy;
failed:
	at = -errno;
	if (copy >= 0)
		close(copy);
	return (int)at;
}

static int take(const char *path)
{
	int fd = tls_open(path), copy = fd < 0 ? fd : copy_of(fd);

	if (fd >= 0)
		close(fd);
	if (copy < 0)
		complain(path, strerror(-copy));
	return copy;
}

bool tls_files_take(const struct options *options, struct tls_files *ret_files)
{
	struct tls_files files = { -1, -1 };

	if (!are_proved(options))
		return false;
	files.cert = take(options->tls_cert);
	files.key = files.cert < 0 ? -1 : take(options->tls_key);
	if (files.key < 0) {
		tls_files_close(&files);
		return false;
	}
	*ret_files = files;
	return true;
}

bool tls_files_read(const struct options *options, struct tls_files *files, struct tls **ret_tls)
{
	const char *what;
	bool is_key;
	int r = 0;

	*ret_tls = NULL;
	if (files->key >= 0)
		r = tls_read_open(files->cert, files->key, ret_tls, &is_key, &what);
	if (r < 0)
		complain(is_key ? options->tls_key : options->tls_cert, what);
	tls_files_close(files);
	return r == 0;
}

void tls_files_close(struct tls_files *files)
{
	if (files->cert >= 0)
		close(files->cert);
	if (files->key >= 0)
		close(files->key);
	*files = (struct tls_files){ -1, -1 };
}
