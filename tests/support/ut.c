/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <CUnit/Basic.h>

#include "ut.h"

int ut_main(int argc, char **argv, const char *suite, const struct ut_case *cases, int count)
{
	CU_pSuite s;
	unsigned failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	s = CU_add_suite(suite, NULL, NULL);
	for (int i = 0; s && i < count; i++)
		if (argc < 2 || strcmp(argv[1], cases[i].name) == 0)
			(void)CU_add_test(s, cases[i].name, cases[i].run);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	(void)CU_basic_run_tests();
	if (CU_get_number_of_tests_run() == 0) {
		fprintf(stderr, "no test ran\n");
		CU_cleanup_registry();
		return 2;
	}
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0; /* not the count: 256 failures would read as success */
}
