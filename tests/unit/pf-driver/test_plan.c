/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <gv/layouts.h>
#include <gv/pf_driver.h>

#include "ut.h"

static struct gv_cfg even(uint32_t num_vfs)
{
	struct gv_cfg cfg = {.num_vfs = num_vfs};

	for (uint32_t i = 0; i < num_vfs; i++)
		cfg.vfs[i] = (struct gv_cfg_vf){.quantum_ms = GV_CFG_QUANTUM_MS,
		                                .weight = GV_CFG_WEIGHT};
	return cfg;
}

/* What must hold for every plan. */
static void check(const struct gv_pf_plan *p)
{
	uint64_t table = p->vf[0].l2_offset, at = p->pf_mib;

	CU_ASSERT(p->pf_mib >= p->caps.pf_window_mib);
	for (uint32_t i = 0; i < p->num_vfs; i++) {
		const struct gv_pf_plan_vf *v = &p->vf[i];

		CU_ASSERT_EQUAL(v->fb_offset_mib, at); /* no gap, no overlap */
		CU_ASSERT_EQUAL(v->fb_offset_mib % p->caps.fb_unit_mib, 0);
		CU_ASSERT_EQUAL(v->fb_mib % p->caps.fb_unit_mib, 0);
		CU_ASSERT(v->fb_mib >= p->caps.fb_min_mib);
		CU_ASSERT_EQUAL(v->l2_entries, v->fb_mib / 2);
		CU_ASSERT(v->l2_offset >= table);
		CU_ASSERT_EQUAL(v->l2_offset % 4096, 0);
		CU_ASSERT(v->doorbell_pages >= 1 && v->doorbell_pages <= p->caps.doorbell_pages);
		CU_ASSERT(v->capacity <= 65535);
		table = v->l2_offset + v->l2_entries * 8ull;
		at += v->fb_mib;
	}
	CU_ASSERT_EQUAL(at + p->free_mib, p->caps.vram_mib);
	CU_ASSERT(table <= p->csa_offset);
	CU_ASSERT_EQUAL(p->csa_offset % (256 * GV_KIB), 0);
	CU_ASSERT(p->csa_kib >= 256);
	CU_ASSERT(p->csa_offset + (p->num_vfs + 1ull) * p->csa_kib * GV_KIB <=
	          p->caps.pf_window_mib * GV_MIB);
}

static void equal_shares_fit_for_every_count_of_vfs_and_size_of_gpu(void)
{
	static const uint32_t sizes[] = {1104, 2048, 4096, 8176, 16384, 65536, 262144};

	for (size_t s = 0; s < GV_ARRAY_LEN(sizes); s++)
		for (uint32_t n = 1; n <= 16; n++) {
			struct gv_pf_caps caps = gv_pf_caps_default(sizes[s], 16);
			struct gv_cfg cfg = even(n);
			struct gv_pf_plan p;

			CU_ASSERT_EQUAL_FATAL(gv_pf_plan(&caps, &cfg, &p, NULL), 0);
			check(&p);
			for (uint32_t i = 1; i < n; i++)
				CU_ASSERT_EQUAL(p.vf[i].fb_mib, p.vf[0].fb_mib);
			CU_ASSERT(p.free_mib < 16 * n); /* nothing wasted but rounding */
		}
}

static void uneven_and_automatic_shares_mix_for_every_count(void)
{
	uint32_t seed = 12345;

	for (uint32_t n = 1; n <= 16; n++)
		for (int round = 0; round < 50; round++) {
			struct gv_pf_caps caps = gv_pf_caps_default(4096, 16);
			struct gv_cfg cfg = even(n);
			struct gv_pf_plan p;
			int rc;

			for (uint32_t i = 0; i < n; i++) {
				seed = seed * 1664525 + 1013904223;
				if (seed >> 31)
					cfg.vfs[i].fb_mib = 64 + 16 * ((seed >> 8) % 40);
			}
			rc = gv_pf_plan(&caps, &cfg, &p, NULL);
			CU_ASSERT(rc == 0 || rc == -ENOSPC);
			if (rc)
				continue;
			check(&p);
			for (uint32_t i = 0; i < n; i++)
				CU_ASSERT(!cfg.vfs[i].fb_mib ||
				          p.vf[i].fb_mib == cfg.vfs[i].fb_mib);
		}
}

static void exact_values_of_two_uneven_vfs(void)
{
	struct gv_pf_caps caps = gv_pf_caps_default(0, 0);
	struct gv_cfg cfg = even(2);
	struct gv_pf_plan p;

	cfg.vfs[0].fb_mib = 1024;
	cfg.vfs[1].fb_mib = 512;
	cfg.vfs[1].doorbells = 1024;
	CU_ASSERT_EQUAL_FATAL(gv_pf_plan(&caps, &cfg, &p, NULL), 0);
	CU_ASSERT_EQUAL(p.pf_mib, 64);
	CU_ASSERT_EQUAL(p.vf[0].fb_offset_mib, 64);
	CU_ASSERT_EQUAL(p.vf[1].fb_offset_mib, 1088);
	CU_ASSERT_EQUAL(p.free_mib, 4096 - 1088 - 512);
	CU_ASSERT_EQUAL(p.vf[0].doorbell_pages, 512);
	CU_ASSERT_EQUAL(p.vf[1].doorbell_pages, 2);
	CU_ASSERT_EQUAL(p.vf[0].capacity, 65535u * 1024 / 4032);
	CU_ASSERT_EQUAL(p.vf[0].l2_entries, 512);
}

struct refusal {
	const char *what;
	void (*spoil)(struct gv_cfg *cfg);
	int rc;
	const char *text;
};

static void ask_too_much(struct gv_cfg *cfg)
{
	cfg->vfs[0].fb_mib = 1216;
	cfg->vfs[1].fb_mib = 2832;
}

static void ask_too_many(struct gv_cfg *cfg)
{
	*cfg = even(17);
}

static void ask_odd(struct gv_cfg *cfg)
{
	cfg->vfs[1].fb_mib = 2817;
}

static void ask_doorbells(struct gv_cfg *cfg)
{
	cfg->vfs[1].doorbells = 262144 + 512;
}

static void leave_nothing(struct gv_cfg *cfg)
{
	cfg->vfs[1].fb_mib = 4032;
}

static void refusals_say_where_what_was_asked_and_what_is_possible(void)
{
	static const struct refusal list[] = {
	        {"fb", ask_too_much, -ENOSPC, "vfs[1].fb_mib: 2832 asked, 2816 MiB left"},
	        {"count", ask_too_many, -ERANGE, "num_vfs: 17 asked, this GPU has 16"},
	        {"odd", ask_odd, 0, "vfs[1].fb_mib: 2817"},
	        {"bells", ask_doorbells, -ERANGE,
	         "vfs[1].doorbells: 262656 asked, a VF has 262144"},
	        {"rest", leave_nothing, -ENOSPC, "vfs[0].fb_mib: an equal share asked, 0 MiB left"},
	};
	struct gv_pf_caps caps = gv_pf_caps_default(4096, 16);

	for (size_t i = 0; i < GV_ARRAY_LEN(list); i++) {
		struct gv_cfg cfg = even(2);
		struct gv_pf_plan p, before;
		struct gv_err err = {0};
		int rc;

		list[i].spoil(&cfg);
		memset(&p, 0x5a, sizeof(p));
		before = p;
		rc = gv_pf_plan(&caps, &cfg, &p, &err);
		CU_ASSERT(rc < 0 && (!list[i].rc || rc == list[i].rc));
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, list[i].text));
		if (!strstr(err.text, list[i].text))
			printf("%s: %s\n", list[i].what, err.text);
		CU_ASSERT_EQUAL(memcmp(&p, &before, sizeof(p)), 0);
	}
}

static void every_bad_plan_profile_is_refused_at_its_place(void)
{
	struct gv_pf_caps caps = gv_pf_caps_default(4096, 16);
	DIR *dir = opendir(GV_BAD_PROFILES);
	unsigned seen = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		char path[512], want[128] = "";
		struct gv_err err = {0};
		struct gv_pf_plan p;
		struct gv_cfg cfg;
		FILE *f;

		if (strncmp(e->d_name, "plan-", 5) || !strstr(e->d_name, ".json"))
			continue;
		seen++;
		snprintf(path, sizeof(path), "%s/%s", GV_BAD_PROFILES, e->d_name);
		CU_ASSERT_EQUAL_FATAL(gv_cfg_load_file(path, &cfg, &err), 0);
		CU_ASSERT(gv_pf_plan(&caps, &cfg, &p, &err) < 0);
		snprintf(path, sizeof(path), "%s/%.*s.expect", GV_BAD_PROFILES,
		         (int)(strlen(e->d_name) - 5), e->d_name);
		f = fopen(path, "r");
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_PTR_NOT_NULL(fgets(want, sizeof(want), f));
		want[strcspn(want, "\n")] = '\0';
		(void)fclose(f);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, want));
	}
	(void)closedir(dir);
	CU_ASSERT(seen >= 6);
}

static void equal_profiles_make_plans_that_compare_equal(void)
{
	struct gv_pf_caps caps = gv_pf_caps_default(4096, 16);
	struct gv_cfg cfg = even(3);
	struct gv_pf_plan a, b;

	memset(&a, 0xaa, sizeof(a));
	memset(&b, 0x55, sizeof(b));
	CU_ASSERT_EQUAL(gv_pf_plan(&caps, &cfg, &a, NULL), 0);
	CU_ASSERT_EQUAL(gv_pf_plan(&caps, &cfg, &b, NULL), 0);
	CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
}

static void table_entries_lead_to_consecutive_pages(void)
{
	uint64_t entry[5] = {0, 0, 0, 0, 77};

	CU_ASSERT_EQUAL(gv_pf_l2_fill(entry, 4, 64 * GV_MIB), 0);
	for (uint64_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(entry[i], (64 * GV_MIB + i * GV_L2_PAGE) | GV_L2PTE_VALID |
		                                  GV_L2PTE_READABLE | GV_L2PTE_WRITEABLE);
	CU_ASSERT_EQUAL(entry[4], 77);
	CU_ASSERT_EQUAL(gv_pf_l2_fill(entry, 4, 64 * GV_MIB + 4096), -EINVAL);
}

static void nonsense_of_a_gpu_is_refused(void)
{
	struct gv_pf_caps caps = gv_pf_caps_default(4096, 16);
	struct gv_cfg cfg = even(1);
	struct gv_pf_plan p;

	caps.max_vfs = 200;
	CU_ASSERT_EQUAL(gv_pf_plan(&caps, &cfg, &p, NULL), -EINVAL);
	caps = gv_pf_caps_default(32, 16);
	CU_ASSERT_EQUAL(gv_pf_plan(&caps, &cfg, &p, NULL), -EINVAL);
	caps = gv_pf_caps_default(4096, 16);
	caps.pf_window_mib = 2;
	CU_ASSERT_EQUAL(gv_pf_plan(&caps, &cfg, &p, NULL), -ENOSPC);
}

UT_MAIN("pf-driver/plan", UT(equal_shares_fit_for_every_count_of_vfs_and_size_of_gpu),
        UT(uneven_and_automatic_shares_mix_for_every_count), UT(exact_values_of_two_uneven_vfs),
        UT(refusals_say_where_what_was_asked_and_what_is_possible),
        UT(every_bad_plan_profile_is_refused_at_its_place),
        UT(equal_profiles_make_plans_that_compare_equal),
        UT(table_entries_lead_to_consecutive_pages), UT(nonsense_of_a_gpu_is_refused))
