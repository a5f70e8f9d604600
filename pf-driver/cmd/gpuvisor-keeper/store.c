/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The notify socket, and descriptors that outlive the child. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "keeper.h"

#define MAX_FDS    32u /* in one message; the kernel allows 253 */
#define MAX_TEXT   4096u
#define MAX_AT_ONE 64u /* messages read in a row */

struct message {
	char text[MAX_TEXT + 1];
	int fd[MAX_FDS];
	unsigned fds;
	pid_t pid;
};

/* A name that the kernel chooses, in the abstract space: no file is left behind. Who else writes
 * to it is known by SCM_CREDENTIALS. */
int store_open(struct store *s, struct gv_err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t n = sizeof(at);
	int on = 1;

	s->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->sock < 0 || setsockopt(s->sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    bind(s->sock, (struct sockaddr *)&at, sizeof(at.sun_family)) ||
	    getsockname(s->sock, (struct sockaddr *)&at, &n))
		return gv_fail(err, -errno, "notify socket: %s", strerror(errno));
	n -= (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1;
	if (n + 2 > sizeof(s->address))
		return gv_fail(err, -ENAMETOOLONG, "notify socket: name of %u bytes", (unsigned)n);
	s->address[0] = '@';
	memcpy(s->address + 1, at.sun_path + 1, n);
	s->address[1 + n] = '\0';
	return 0;
}

void store_close(struct store *s)
{
	while (s->count)
		gv_closep(&s->kept[--s->count].fd);
	gv_closep(&s->sock);
}

/* ---- messages --------------------------------------------------------------------------- */

static void take_control(struct msghdr *h, struct message *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t n = c->cmsg_len - CMSG_LEN(0);
		struct ucred who;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS && n >= sizeof(who)) {
			memcpy(&who, CMSG_DATA(c), sizeof(who));
			m->pid = who.pid;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			m->fds = (unsigned)(n / sizeof(int));
			memcpy(m->fd, CMSG_DATA(c), m->fds * sizeof(int));
		}
	}
}

static bool receive(struct store *s, struct message *m)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec v = {m->text, MAX_TEXT};
	struct msghdr h = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = &control,
	                   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(s->sock, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	m->fds = 0;
	m->pid = 0;
	if (n < 0)
		return false;
	m->text[n] = '\0';
	take_control(&h, m);
	return true;
}

/* The value of "KEY=value\n" in @text, into @value. */
static bool value_of(const char *text, const char *key, char *value, size_t room)
{
	size_t n = strlen(key);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		n = strcspn(p, "\n");
		if (n >= room)
			return false;
		memcpy(value, p, n);
		value[n] = '\0';
		return true;
	}
	return false;
}

static bool says(const char *text, const char *key)
{
	char value[8];

	return value_of(text, key, value, sizeof(value)) && !strcmp(value, "1");
}

/* It becomes part of LISTEN_FDNAMES, which has colons between. */
static bool is_name(const char *name)
{
	return *name && !strpbrk(name, ": \t") && strlen(name) < NAME_ROOM;
}

static void keep(struct store *s, struct message *m, const char *name)
{
	for (unsigned i = 0; i < m->fds; i++) {
		if (s->count == MAX_KEPT) {
			fprintf(stderr, "gpuvisor-keeper: no room for '%s', it is closed\n", name);
			continue;
		}
		s->kept[s->count].fd = gv_take_fd(&m->fd[i]);
		snprintf(s->kept[s->count++].name, NAME_ROOM, "%s", name);
	}
}

static void drop(struct store *s, const char *name)
{
	unsigned left = 0;

	for (unsigned i = 0; i < s->count; i++) {
		if (!strcmp(s->kept[i].name, name))
			gv_closep(&s->kept[i].fd);
		else
			s->kept[left++] = s->kept[i];
	}
	s->count = left;
}

static void follow(struct store *s, struct message *m)
{
	char name[NAME_ROOM] = "stored";
	bool named = value_of(m->text, "FDNAME", name, sizeof(name));

	s->ready = s->ready || says(m->text, "READY");
	if (named && !is_name(name))
		return;
	if (says(m->text, "FDSTOREREMOVE") && named)
		drop(s, name);
	else if (says(m->text, "FDSTORE"))
		keep(s, m, name);
}

void store_read(struct store *s, pid_t child)
{
	struct message m;

	for (unsigned i = 0; i < MAX_AT_ONE && receive(s, &m); i++) {
		if (m.pid == child)
			follow(s, &m);
		for (unsigned k = 0; k < m.fds; k++) /* and BARRIER=1 is answered by closing */
			gv_closep(&m.fd[k]);
	}
}

/* ---- to the child ------------------------------------------------------------------------- */

static int set_environment(const struct store *s)
{
	char names[MAX_KEPT * (NAME_ROOM + 1)] = "", pid[16], count[16];
	size_t n = 0;

	for (unsigned i = 0; i < s->count; i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i ? ":" : "",
		                      s->kept[i].name);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(count, sizeof(count), "%u", s->count);
	if (setenv("NOTIFY_SOCKET", s->address, 1) || setenv("FDSTORE", "16", 1) ||
	    setenv("LISTEN_PID", pid, 1) || setenv("LISTEN_FDS", count, 1) ||
	    setenv("LISTEN_FDNAMES", names, 1))
		return -errno;
	return 0;
}

/* Out of the way first: what is kept may lie where it must go. */
int store_hand_over(const struct store *s)
{
	int fd[MAX_KEPT];

	for (unsigned i = 0; i < s->count; i++) {
		fd[i] = fcntl(s->kept[i].fd, F_DUPFD_CLOEXEC, FIRST_FD + (int)MAX_KEPT);
		if (fd[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < s->count; i++)
		if (dup2(fd[i], FIRST_FD + (int)i) < 0)
			return -errno;
	return set_environment(s);
}
