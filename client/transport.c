/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "transport.h"

#include "config.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "options.h"
#include "problem.h"
#include "progress.h"
#include "signals.h"
#include "text.h"
#include "token_file.h"

enum {
	SOCKETS_MAX = 2,
	CONNECT_SECONDS = 5,
	SILENCE_SECONDS = 330,	/* longer than the longest deadline that vmad itself keeps */
};

#define PROBLEM_MAX_BYTES (64u << 10)

struct transport {
	CURL *curl;
	CURLM *multi;
	struct curl_slist *json_headers, *ndjson_headers;
	char *base;			/* "http://localhost", or the URL */
	const char *cacert;		/* or NULL: the certificates of the system */
	char *sockets[SOCKETS_MAX];	/* to be tried in turn; none: base says it all */
	size_t socket_count;
	size_t socket;			/* the one that answers, or the next to try */
};

/* One request under way. */
struct transfer {
	struct transport *transport;
	bool post;
	transport_bytes *fn;
	void *arg;
	struct trouble *trouble;
	struct text problem;
	curl_off_t bytes;
	int code;			/* what fn wants to end with */
};

static int add_socket(struct transport *t, const char *path, struct trouble *trouble)
{
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return trouble_set(trouble, EXIT_USAGE, "the socket's path is too long: %s", path);
	t->sockets[t->socket_count] = strdup(path);
	if (!t->sockets[t->socket_count])
		return trouble_oom(trouble);
	t->socket_count++;
	return EXIT_DONE;
}

/* An ordinary user's own vmad. A directory in /tmp is trusted only where nobody else could have made or changed it. */
static int add_own_socket(struct transport *t, struct trouble *trouble)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct stat st;

	if (runtime && *runtime == '/') {
		if (snprintf(path, sizeof(path), "%s/vmad.sock", runtime) >= (int)sizeof(path))
			return EXIT_DONE;
		return add_socket(t, path, trouble);
	}
	snprintf(path, sizeof(path), "/tmp/vmad-%u", getuid());
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != getuid() || (st.st_mode & 022))
		return EXIT_DONE;
	strcat(path, "/vmad.sock");
	return add_socket(t, path, trouble);
}

static int add_default_sockets(struct transport *t, struct trouble *trouble)
{
	int code;

	if (getuid() == 0) {
		code = add_socket(t, "/run/vmad/root.sock", trouble);
		return code == EXIT_DONE ? add_socket(t, "/run/vmad/vmad.sock", trouble) : code;
	}
	code = add_socket(t, "/run/vmad/vmad.sock", trouble);
	return code == EXIT_DONE ? add_own_socket(t, trouble) : code;
}

static int set_url(struct transport *t, const char *url, struct trouble *trouble)
{
	size_t len = strlen(url);

	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return trouble_set(trouble, EXIT_USAGE, "'%s' is no address of a vmad: it begins with http:// or https://",
				   url);
	while (len && url[len - 1] == '/')
		len--;
	t->base = strndup(url, len);
	return t->base ? EXIT_DONE : trouble_oom(trouble);
}

/* Options win over the environment, and a place that was named over the usual ones. */
static int choose_place(struct transport *t, const struct options *options, const char *socket, struct trouble *trouble)
{
	const char *url = getenv("VMACTL_URL"), *env_socket = getenv("VMACTL_SOCKET");

	if (socket || options->socket)
		return add_socket(t, socket ? socket : options->socket, trouble);
	if (options->url)
		return set_url(t, options->url, trouble);
	if (url && *url)
		return set_url(t, url, trouble);
	if (env_socket && *env_socket)
		return add_socket(t, env_socket, trouble);
	return add_default_sockets(t, trouble);
}

static int add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int set_headers(struct transport *t, const char *token_file, struct trouble *trouble)
{
	char token[TOKEN_FILE_MAX], line[sizeof(token) + 32];
	int r, code;

	r = add_header(&t->json_headers, "Accept: application/json");
	r |= add_header(&t->ndjson_headers, "Accept: application/x-ndjson");
	if (token_file) {
		code = token_file_read(token_file, token, trouble);
		if (code != EXIT_DONE)
			return code;
		snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
		r |= add_header(&t->json_headers, line) | add_header(&t->ndjson_headers, line);
	}
	return r ? trouble_oom(trouble) : EXIT_DONE;
}

int transport_open(const struct options *options, const char *socket, struct transport **ret, struct trouble *trouble)
{
	struct transport *t = calloc(1, sizeof(*t));
	int code;

	if (!t)
		return trouble_oom(trouble);
	code = choose_place(t, options, socket, trouble);
	if (code == EXIT_DONE && t->socket_count)
		code = (t->base = strdup("http://localhost")) ? EXIT_DONE : trouble_oom(trouble);
	if (code == EXIT_DONE)
		code = set_headers(t, options->token_file, trouble);
	t->cacert = options->cacert;
	if (code == EXIT_DONE) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		t->curl = curl_easy_init();
		t->multi = curl_multi_init();
		if (!t->curl || !t->multi)
			code = trouble_oom(trouble);
	}
	if (code != EXIT_DONE) {
		transport_close(t);
		return code;
	}
	*ret = t;
	return EXIT_DONE;
}

void transport_close(struct transport *t)
{
	if (!t)
		return;
	curl_easy_cleanup(t->curl);
	curl_multi_cleanup(t->multi);
	curl_slist_free_all(t->json_headers);
	curl_slist_free_all(t->ndjson_headers);
	for (size_t i = 0; i < t->socket_count; i++)
		free(t->sockets[i]);
	free(t->base);
	free(t);
}

static size_t on_bytes(char *p, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(transfer->transport->curl, CURLINFO_RESPONSE_CODE, &status);
	transfer->bytes += (curl_off_t)len;
	if (status == 200)
		transfer->code = transfer->fn(transfer->arg, p, len, transfer->trouble);
	else if (transfer->problem.len + len > PROBLEM_MAX_BYTES || text_append(&transfer->problem, p, len))
		transfer->code = trouble_set(transfer->trouble, EXIT_FAILED,
					     "HTTP status %ld, without an answer of vmad", status);
	return transfer->code == EXIT_DONE ? len : 0;
}

static void prepare(struct transport *t, const char *url, bool ndjson, struct transfer *transfer)
{
	curl_easy_reset(t->curl);
	curl_easy_setopt(t->curl, CURLOPT_URL, url);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, ndjson ? t->ndjson_headers : t->json_headers);
	curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "vmactl/" PACKAGE_VERSION);
	curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(t->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_SECONDS);
	if (transfer->post)
		curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, "POST");
	if (t->cacert)
		curl_easy_setopt(t->curl, CURLOPT_CAINFO, t->cacert);
	if (t->socket_count)
		curl_easy_setopt(t->curl, CURLOPT_UNIX_SOCKET_PATH, t->sockets[t->socket]);
	else
		curl_easy_setopt(t->curl, CURLOPT_ACCEPT_ENCODING, "");	/* worth its while on a wire only */
}

/* Runs until the transfer ends or a signal comes: curl_easy_perform() would not notice one. */
static CURLcode run(struct transfer *transfer)
{
	struct transport *t = transfer->transport;
	struct curl_waitfd signal_fd = { .fd = signals_fd(), .events = CURL_WAIT_POLLIN };
	struct progress progress;
	CURLcode result = CURLE_OK;
	const CURLMsg *message;
	int running = 1, left;

	progress_begin(&progress);
	curl_multi_add_handle(t->multi, t->curl);
	while (running && !signals_caught()) {
		if (curl_multi_perform(t->multi, &running) != CURLM_OK)
			break;
		if (running)
			curl_multi_poll(t->multi, &signal_fd, signal_fd.fd >= 0, 1000, NULL);
		progress_say(&progress, (uint64_t)transfer->bytes);
	}
	while ((message = curl_multi_info_read(t->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			result = message->data.result;
	curl_multi_remove_handle(t->multi, t->curl);
	progress_end(&progress);
	return result;
}

/* Notes why this place did not answer: each that was tried is said. */
static long note_failure(struct transport *t, CURLcode result, struct text *tried)
{
	const char *where = t->socket_count ? t->sockets[t->socket] : t->base;
	long error = 0;

	curl_easy_getinfo(t->curl, CURLINFO_OS_ERRNO, &error);
	text_printf(tried, "%s%s: %s", tried->len ? "; " : "", where,
		    error ? strerror((int)error) : curl_easy_strerror(result));
	return error;
}

static const char *what_would_help(CURLcode result, bool denied)
{
	if (result == CURLE_SSL_CONNECT_ERROR)
		return "http:// instead, if vmad has no certificate for that port";
	if (result == CURLE_PEER_FAILED_VERIFICATION)
		return "--cacert with the certificate of who signed vmad's";
	return denied ? "be root, or in the group that owns the socket" : "start vmad";
}

static int unreachable(const struct text *tried, CURLcode result, bool denied, struct trouble *trouble)
{
	trouble_set(trouble, EXIT_UNREACHABLE, "vmad is not reachable: %s", tried->p ? tried->p : "out of memory");
	trouble_mend(trouble, "%s; or --local, which starts a private vmad for this command",
		     what_would_help(result, denied));
	return EXIT_UNREACHABLE;
}

static int judge(struct transfer *transfer, CURLcode result, const char *subject)
{
	struct trouble *trouble = transfer->trouble;
	long status = 0;

	if (signals_caught())
		return EXIT_INTERRUPTED;
	if (transfer->code != EXIT_DONE)
		return transfer->code;
	curl_easy_getinfo(transfer->transport->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 0 && status != 200)
		return problem_read(status, transfer->problem.p ? transfer->problem.p : "", transfer->problem.len, subject,
				    trouble);
	if (result == CURLE_OK)
		return EXIT_DONE;
	if (result == CURLE_SSL_CACERT_BADFILE)
		return trouble_set(trouble, EXIT_FAILED, "%s: no certificates (PEM) can be read from it",
				   transfer->transport->cacert ? transfer->transport->cacert : "the system's certificates");
	if (result == CURLE_OPERATION_TIMEDOUT && status == 0)
		return trouble_set(trouble, EXIT_BUSY, "vmad does not answer: %s", curl_easy_strerror(result));
	if (status == 0)
		return trouble_set(trouble, EXIT_FAILED, "vmad closed the connection without an answer: %s",
				   curl_easy_strerror(result));
	return trouble_set(trouble, EXIT_PARTIAL, "the answer was cut off: %s", curl_easy_strerror(result));
}

static bool is_connect_failure(struct transport *t, CURLcode result)
{
	curl_off_t connected = 0;

	curl_easy_getinfo(t->curl, CURLINFO_CONNECT_TIME_T, &connected);
	return result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST ||
	       result == CURLE_SSL_CONNECT_ERROR || result == CURLE_PEER_FAILED_VERIFICATION ||
	       (result == CURLE_OPERATION_TIMEDOUT && connected == 0);
}

/* Tries the sockets that are left until one of them answers. Returns whether none did. */
static bool run_anywhere(struct transfer *transfer, const char *url, bool ndjson, CURLcode *ret_result)
{
	struct transport *t = transfer->transport;
	struct text tried = { 0 };
	bool denied = false, failed;

	for (;;) {
		prepare(t, url, ndjson, transfer);
		*ret_result = run(transfer);
		failed = !signals_caught() && is_connect_failure(t, *ret_result);
		if (!failed)
			break;
		denied |= note_failure(t, *ret_result, &tried) == EACCES;
		if (t->socket + 1 >= t->socket_count)
			break;
		t->socket++;
	}
	if (failed) {
		unreachable(&tried, *ret_result, denied, transfer->trouble);
		t->socket = 0;
	}
	text_free(&tried);
	return failed;
}

static int transfer_run(struct transfer *transfer, const char *path, bool ndjson, const char *subject)
{
	struct text url = { 0 };
	CURLcode result;
	int code = EXIT_UNREACHABLE;

	if (text_printf(&url, "%s%s", transfer->transport->base, path))
		return trouble_oom(transfer->trouble);
	if (!run_anywhere(transfer, url.p, ndjson, &result))
		code = judge(transfer, result, subject);
	text_free(&transfer->problem);
	text_free(&url);
	return code;
}

int transport_get(struct transport *t, const char *path, bool ndjson, const char *subject, transport_bytes *fn,
		  void *arg, struct trouble *trouble)
{
	struct transfer transfer = { .transport = t, .fn = fn, .arg = arg, .trouble = trouble };

	return transfer_run(&transfer, path, ndjson, subject);
}

int transport_post(struct transport *t, const char *path, bool ndjson, const char *subject, transport_bytes *fn,
		   void *arg, struct trouble *trouble)
{
	struct transfer transfer = { .transport = t, .post = true, .fn = fn, .arg = arg, .trouble = trouble };

	return transfer_run(&transfer, path, ndjson, subject);
}
