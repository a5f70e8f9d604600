/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A CUnit program is a list of cases, each named like a sentence. */
#ifndef GV_UT_H
#define GV_UT_H

#include <CUnit/CUnit.h>

struct ut_case {
	const char *name;
	void (*run)(void);
};

/* clang-format off */
#define UT(fn) { #fn, fn }
/* clang-format on */

/** Run @cases as suite @suite, or only the one named in argv[1]. Returns main()'s value. */
int ut_main(int argc, char **argv, const char *suite, const struct ut_case *cases, int count);

#define UT_MAIN(suite, ...)                                                                        \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const struct ut_case ut_cases_[] = {__VA_ARGS__};                           \
		return ut_main(argc, argv, suite, ut_cases_,                                       \
		               (int)(sizeof(ut_cases_) / sizeof(ut_cases_[0])));                   \
	}

#endif
