/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

void check_add(struct check *c, const char *name, enum check_status status, const char *code,
               const char *remedy, const char *text, ...)
{
	struct check_item *item;
	va_list ap;

	if (c->count == CHECK_MAX_ITEMS)
		return;
	item = &c->item[c->count++];
	*item = (struct check_item){.name = name, .code = code, .status = status};
	(void)snprintf(item->remedy, sizeof(item->remedy), "%s", remedy);
	va_start(ap, text);
	(void)vsnprintf(item->text, sizeof(item->text), text, ap);
	va_end(ap);
}

int check_read_all(const char *root, const char *path, char *text, size_t room)
{
	char full[512];
	gv_auto_fd int fd = -1;
	ssize_t n;

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, room - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

int check_read(const char *root, const char *path, char *text, size_t room)
{
	int rc = check_read_all(root, path, text, room);

	if (!rc)
		text[strcspn(text, "\n")] = '\0';
	return rc;
}
