/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <gv/base.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void gv_logf(const struct gv_log *log, enum gv_log_level level, const char *fmt, ...)
{
	int saved = errno; /* logging never disturbs the caller's errno */
	char line[512];
	va_list ap;
	int n;

	if (!log || !log->sink || level > log->max)
		return;
	n = snprintf(line, sizeof(line), "%s: ", log->who ? log->who : "gv");
	if (n < 0 || (size_t)n >= sizeof(line))
		n = 0;
	va_start(ap, fmt);
	(void)vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	log->sink(log->arg, level, line);
	errno = saved;
}

void gv_log_stderr(void *arg, enum gv_log_level level, const char *line)
{
	(void)arg;
	fprintf(stderr, "%-5s %s\n", level_names[level], line);
}

int gv_log_parse_level(const char *name, enum gv_log_level *level)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(level_names); i++)
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum gv_log_level)i;
			return 0;
		}
	return -EINVAL;
}
