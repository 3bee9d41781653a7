/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "clock/clock.h"

#define PEM_MAX (1 << 20)
#define CERTS_MAX 16
#define PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
/* For so long it may still be needed: far longer than a client may take to say who it is (HEADER_DEADLINE_MS). */
#define KEPT_MS 60000

struct tls {
	gnutls_pcert_st certs[CERTS_MAX];
	unsigned count;
	gnutls_privkey_t key;
	uint64_t retired_us;
	struct tls *next;		/* that was in use before it */
};

/* Text of a file, NUL-terminated. */
struct pem {
	char *text;
	size_t size;
};

static const char *read_pem(int fd, struct pem *pem)
{
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_size == 0 || st.st_size > PEM_MAX)
		return "a PEM file has 1 byte to 1 MiB";
	pem->size = (size_t)st.st_size;
	pem->text = calloc(1, pem->size + 1);
	if (!pem->text)
		return strerror(ENOMEM);
	len = pread(fd, pem->text, pem->size, 0);
	return len < 0 ? strerror(errno) : NULL;
}

static void forget_pem(struct pem *pem)
{
	if (pem->text)
		explicit_bzero(pem->text, pem->size);
	free(pem->text);
}

static gnutls_datum_t datum_of(const struct pem *pem)
{
	return (gnutls_datum_t){ (unsigned char *)pem->text, (unsigned)strlen(pem->text) };
}

/* NULL, or what is wrong with the two of them. */
static const char *check_pair(const gnutls_datum_t *cert, const gnutls_datum_t *key)
{
	gnutls_certificate_credentials_t credentials;
	int r = gnutls_certificate_allocate_credentials(&credentials);

	if (r < 0)
		return gnutls_strerror(r);
	r = gnutls_certificate_set_x509_key_mem(credentials, cert, key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return "not the key of that certificate";
	return r < 0 ? gnutls_strerror(r) : NULL;
}

static const char *import_certs(struct tls *tls, const gnutls_datum_t *cert)
{
	unsigned count = CERTS_MAX;
	int r = gnutls_pcert_list_import_x509_raw(tls->certs, &count, cert, GNUTLS_X509_FMT_PEM,
						  GNUTLS_X509_CRT_LIST_SORT);

	if (r < 0)
		return gnutls_strerror(r);
	tls->count = count;
	return NULL;
}

static const char *import_key(struct tls *tls, const gnutls_datum_t *key)
{
	int r = gnutls_privkey_init(&tls->key);

	if (r >= 0)
		r = gnutls_privkey_import_x509_raw(tls->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
	return r < 0 ? gnutls_strerror(r) : NULL;
}

static const char *import_pair(struct tls *tls, const struct pem *cert_pem, const struct pem *key_pem, bool *ret_is_key)
{
	gnutls_datum_t cert = datum_of(cert_pem), key = datum_of(key_pem);
	const char *what = import_certs(tls, &cert);

	*ret_is_key = !what;
	if (!what)
		what = check_pair(&cert, &key);
	return what ? what : import_key(tls, &key);
}

int tls_read_open(int cert_fd, int key_fd, struct tls **ret_tls, bool *ret_is_key, const char **ret_what)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	struct pem cert = { 0 }, key = { 0 };

	*ret_is_key = false;
	*ret_what = tls ? read_pem(cert_fd, &cert) : strerror(ENOMEM);
	if (!*ret_what) {
		*ret_is_key = true;
		*ret_what = read_pem(key_fd, &key);
	}
	if (!*ret_what)
		*ret_what = import_pair(tls, &cert, &key, ret_is_key);
	forget_pem(&cert);
	forget_pem(&key);
	if (*ret_what) {
		tls_free(tls);
		return -EINVAL;
	}
	*ret_tls = tls;
	return 0;
}

int tls_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int tls_read(const char *cert_path, const char *key_path, struct tls **ret_tls, const char **ret_path,
	     const char **ret_what)
{
	int cert = tls_open(cert_path), key = cert < 0 ? -EBADF : tls_open(key_path), r = -EINVAL;
	bool is_key = cert >= 0;

	if (cert < 0 || key < 0)
		*ret_what = strerror(cert < 0 ? -cert : -key);
	else
		r = tls_read_open(cert, key, ret_tls, &is_key, ret_what);
	*ret_path = is_key ? key_path : cert_path;
	if (cert >= 0)
		close(cert);
	if (key >= 0)
		close(key);
	return r;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	for (unsigned i = 0; i < tls->count; i++)
		gnutls_pcert_deinit(&tls->certs[i]);
	if (tls->key)
		gnutls_privkey_deinit(tls->key);
	free(tls);
}

/* What clients see, and behind it those that were seen before. GnuTLS's function has no argument of ours. */
static struct {
	pthread_mutex_t lock;
	struct tls *tls;
} in_use = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Who was greeted with one of these has long said who he is, or was cut off. */
static void free_retired(struct tls *newest)
{
	for (struct tls **at = &newest->next; *at; ) {
		struct tls *old = *at;

		if (clock_us() - old->retired_us < KEPT_MS * UINT64_C(1000)) {
			at = &old->next;
			continue;
		}
		*at = old->next;
		tls_free(old);
	}
}

void tls_use(struct tls *tls)
{
	pthread_mutex_lock(&in_use.lock);
	if (in_use.tls)
		in_use.tls->retired_us = clock_us();
	tls->next = in_use.tls;
	in_use.tls = tls;
	free_retired(tls);
	pthread_mutex_unlock(&in_use.lock);
}

void tls_forget(void)
{
	for (struct tls *tls; (tls = in_use.tls); ) {
		in_use.tls = tls->next;
		tls_free(tls);
	}
}

/* gnutls_certificate_retrieve_function2: what it is given stays ours. */
static int retrieve(gnutls_session_t session, const gnutls_datum_t *names, int name_count,
		    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_certs,
		    unsigned *ret_count, gnutls_privkey_t *ret_key)
{
	struct tls *tls;

	(void)session;
	(void)names;
	(void)name_count;
	(void)algorithms;
	(void)algorithm_count;
	pthread_mutex_lock(&in_use.lock);
	tls = in_use.tls;
	pthread_mutex_unlock(&in_use.lock);
	*ret_certs = tls->certs;
	*ret_count = tls->count;
	*ret_key = tls->key;
	return 0;
}

void tls_options(struct MHD_OptionItem options[TLS_OPTIONS])
{
	options[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)retrieve };
	options[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)PRIORITIES };
	options[2] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}
