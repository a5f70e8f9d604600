/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Talking to gpuvisord: one line each way. */
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "gpuvisor.h"

#define READ_BYTES     65536u
#define MAX_LINE_BYTES (16u << 20)
#define REQUEST_ID     1
#define SILENCE_S      180 /* a method may take a minute; what takes longer tells its progress */

/* Seconds without a word from the daemon after which it is given up: GPUVISOR_TIMEOUT, 0 never. */
static uint32_t silence_s(void)
{
	const char *text = getenv("GPUVISOR_TIMEOUT");
	uint32_t n;

	return text && parse_u32(text, &n) ? n : SILENCE_S;
}

static void set_timeouts(int fd, uint32_t seconds)
{
	const struct timeval tv = {.tv_sec = (time_t)seconds};

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

void client_wait_for_ever(struct client *c)
{
	set_timeouts(c->fd, 0);
}

static int transfer_failed(const char *doing, struct gv_err *err)
{
	if (errno == EAGAIN)
		return gv_fail(err, -ETIMEDOUT, "%s gpuvisord: no word from it for %u s", doing,
		               silence_s());
	return gv_fail(err, -errno, "%s gpuvisord: %s", doing, strerror(errno));
}

int client_open(const char *path, struct client *c, struct gv_err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	gv_auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		return gv_fail(err, -ENAMETOOLONG, "%s: longer than %zu", path,
		               sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, strlen(path));
	if (fd >= 0)
		set_timeouts(fd, silence_s());
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return gv_fail(err, -errno, "%s: %s; is gpuvisord running? (--socket says where)",
		               path, strerror(errno));
	*c = (struct client){.fd = gv_take_fd(&fd)};
	return 0;
}

void client_close(struct client *c)
{
	gv_closep(&c->fd);
	free(c->buf);
	c->buf = NULL;
}

static int send_all(struct client *c, const char *text, size_t bytes, struct gv_err *err)
{
	while (bytes) {
		ssize_t n = send(c->fd, text, bytes, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return transfer_failed("sending to", err);
		text += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static int receive(struct client *c, struct gv_err *err)
{
	ssize_t n;

	if (c->room - c->bytes < READ_BYTES) {
		char *bigger =
		        c->room > MAX_LINE_BYTES ? NULL : realloc(c->buf, c->room * 2 + READ_BYTES);

		if (!bigger)
			return gv_fail(err, -ENOMEM, "a line of gpuvisord is too long");
		c->buf = bigger;
		c->room = c->room * 2 + READ_BYTES;
	}
	n = recv(c->fd, c->buf + c->bytes, READ_BYTES, 0);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0)
		return transfer_failed("receiving from", err);
	if (!n)
		return gv_fail(err, -ECONNRESET, "gpuvisord has closed the connection");
	c->bytes += (size_t)n;
	return 0;
}

int client_next(struct client *c, struct json_object **message, struct gv_err *err)
{
	char *end;
	int rc = 0;

	while (!(end = c->bytes ? memchr(c->buf, '\n', c->bytes) : NULL) && !rc)
		rc = receive(c, err);
	if (rc)
		return rc;
	*end = '\0';
	*message = json_tokener_parse(c->buf);
	c->bytes -= (size_t)(end + 1 - c->buf);
	memmove(c->buf, end + 1, c->bytes);
	return *message ? 0 : gv_fail(err, -EBADMSG, "gpuvisord sent something that is no JSON");
}

/* "ENOSPC" to -ENOSPC. */
static int errno_of(struct json_object *error)
{
	struct json_object *data, *name;

	if (!json_object_object_get_ex(error, "data", &data) ||
	    !json_object_object_get_ex(data, "errno", &name))
		return -EREMOTEIO;
	for (int e = 1; e < 134; e++)
		if (strerrorname_np(e) && !strcmp(strerrorname_np(e), json_object_get_string(name)))
			return -e;
	return -EREMOTEIO;
}

static int take_reply(struct json_object *message, struct json_object **result, struct gv_err *err)
{
	struct json_object *v;
	const char *text;

	if (json_object_object_get_ex(message, "error", &v)) {
		struct json_object *m;

		text = json_object_object_get_ex(v, "message", &m) ? json_object_get_string(m) : "";
		return gv_fail(err, errno_of(v), "%s", text);
	}
	(void)json_object_object_get_ex(message, "result", &v);
	*result = json_object_get(v);
	return 0;
}

static int send_request(struct client *c, const char *method, struct json_object *params,
                        struct gv_err *err)
{
	struct json_object *o = json_object_new_object();
	const char *text;
	int rc;

	put(o, "jsonrpc", json_object_new_string("2.0"));
	put(o, "id", json_object_new_int(REQUEST_ID));
	put(o, "method", json_object_new_string(method));
	if (params)
		put(o, "params", params);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	rc = send_all(c, text, strlen(text), err);
	if (!rc)
		rc = send_all(c, "\n", 1, err);
	json_object_put(o);
	return rc;
}

/* A daemon that parts from us may have said why before we could ask. */
static int last_words(struct client *c, struct gv_err *err)
{
	struct json_object *message = NULL, *result = NULL;
	struct gv_err other = {0};
	int rc = client_next(c, &message, &other);

	if (!rc && json_object_object_get_ex(message, "error", NULL))
		rc = take_reply(message, &result, err);
	else
		rc = -EPIPE;
	json_object_put(result);
	json_object_put(message);
	return rc;
}

int client_call(struct client *c, const char *method, struct json_object *params,
                void (*notify)(struct json_object *note), struct json_object **result,
                struct gv_err *err)
{
	struct json_object *message, *v;
	int rc = send_request(c, method, params, err);
	bool done = false;

	if (rc == -EPIPE)
		rc = last_words(c, err);
	while (!rc && !done) {
		rc = client_next(c, &message, err);
		if (rc)
			break;
		done = !json_object_object_get_ex(message, "method", &v);
		if (done)
			rc = take_reply(message, result, err);
		else if (notify)
			notify(message);
		json_object_put(message);
	}
	return rc;
}
