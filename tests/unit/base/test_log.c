/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <gv/base.h>

#include "ut.h"

struct got {
	unsigned lines;
	enum gv_log_level level;
	char line[1024];
};

static void keep(void *arg, enum gv_log_level level, const char *line)
{
	struct got *g = arg;

	g->lines++;
	g->level = level;
	(void)snprintf(g->line, sizeof(g->line), "%s", line);
	errno = EBADF; /* a sink may do what it likes */
}

static void a_line_starts_with_who(void)
{
	struct got g = {0};
	struct gv_log log = {keep, &g, GV_LOG_INFO, "0000:03:00.0 PF"};

	gv_logf(&log, GV_LOG_WARN, "%d VFs", 3);
	CU_ASSERT_STRING_EQUAL(g.line, "0000:03:00.0 PF: 3 VFs");
	CU_ASSERT_EQUAL(g.level, GV_LOG_WARN);
	log.who = NULL;
	gv_logf(&log, GV_LOG_ERR, "x");
	CU_ASSERT_STRING_EQUAL(g.line, "gv: x");
}

static void only_levels_up_to_the_limit_pass(void)
{
	for (int max = GV_LOG_ERR; max <= GV_LOG_DEBUG; max++)
		for (int level = GV_LOG_ERR; level <= GV_LOG_DEBUG; level++) {
			struct got g = {0};
			struct gv_log log = {keep, &g, (enum gv_log_level)max, "t"};

			gv_logf(&log, (enum gv_log_level)level, "text");
			CU_ASSERT_EQUAL(g.lines, level <= max);
		}
}

static void a_missing_log_is_silent(void)
{
	struct gv_log none = {NULL, NULL, GV_LOG_DEBUG, "t"};

	gv_logf(NULL, GV_LOG_ERR, "%s", "x");
	gv_logf(&none, GV_LOG_ERR, "%s", "x");
}

static void logging_keeps_errno(void)
{
	struct got g = {0};
	struct gv_log log = {keep, &g, GV_LOG_DEBUG, "t"};

	errno = ENOSPC;
	gv_logf(&log, GV_LOG_DEBUG, "x");
	CU_ASSERT_EQUAL(errno, ENOSPC);
}

static void long_lines_and_names_are_cut(void)
{
	struct got g = {0};
	char big[1500];
	struct gv_log log = {keep, &g, GV_LOG_DEBUG, "t"};

	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	gv_logf(&log, GV_LOG_INFO, "%s", big);
	CU_ASSERT_EQUAL(strlen(g.line), 511);
	log.who = big;
	gv_logf(&log, GV_LOG_INFO, "still said");
	CU_ASSERT_STRING_EQUAL(g.line, "still said");
}

static void level_names_are_read_exactly(void)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	static const char *const bad[] = {"", "err", "WARN", "info ", "warning", "0"};
	enum gv_log_level level = GV_LOG_DEBUG;

	for (int k = 0; k < 4; k++) {
		CU_ASSERT_EQUAL(gv_log_parse_level(names[k], &level), 0);
		CU_ASSERT_EQUAL((int)level, k);
	}
	for (size_t k = 0; k < GV_ARRAY_LEN(bad); k++) {
		CU_ASSERT_EQUAL(gv_log_parse_level(bad[k], &level), -EINVAL);
		CU_ASSERT_EQUAL(level, GV_LOG_DEBUG); /* written only on success */
	}
}

UT_MAIN("log", UT(a_line_starts_with_who), UT(only_levels_up_to_the_limit_pass),
        UT(a_missing_log_is_silent), UT(logging_keeps_errno), UT(long_lines_and_names_are_cut),
        UT(level_names_are_read_exactly))
