/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the host's instruction sets the cores run with. */
#include <string.h>

#include <gv/base.h>

#include "state.h"

static bool always(void)
{
	return true;
}

#ifdef GV_CU_X86
static bool has_avx2(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const struct cu_isa *cu_isa_find(const char *name)
{
	/* best first */
	static const struct {
		const char *name;
		const struct cu_isa *isa;
		bool (*is_there)(void);
	} list[] = {
#ifdef GV_CU_X86
	        {"avx512", &cu_isa_avx512, has_avx512},
	        {"avx2", &cu_isa_avx2, has_avx2},
#endif
	        {"base", &cu_isa_base, always},
	};

	for (unsigned n = 0; n < GV_ARRAY_LEN(list); n++)
		if ((!name || strcmp(name, list[n].name) == 0) && list[n].is_there())
			return list[n].isa;
	return NULL;
}
