/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <gv/configs.h>
#include <ut.h>

static int parse(const char *text, struct gv_cfg *cfg, struct gv_err *err)
{
	/* an exact copy without a NUL, so that reading on is seen */
	size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);
	int rc;

	memcpy(copy, text, n);
	rc = gv_cfg_parse(copy, n, cfg, err);
	free(copy);
	return rc;
}

static void the_issues_example_is_understood(void)
{
	struct gv_cfg c;

	CU_ASSERT_EQUAL_FATAL(
	        parse("{\"gpu\":\"vfio-user:/run/x/pf.sock\",\"num_vfs\":2,\"vfs\":["
	              "{\"fb_mib\":1024,\"doorbells\":2048,\"quantum_ms\":6,\"weight\":1,"
	              "\"label\":\"train\"},{\"fb_mib\":512}]}",
	              &c, NULL),
	        0);
	CU_ASSERT_STRING_EQUAL(c.gpu, "vfio-user:/run/x/pf.sock");
	CU_ASSERT_EQUAL(c.num_vfs, 2);
	CU_ASSERT_EQUAL(c.vfs[0].fb_mib, 1024);
	CU_ASSERT_EQUAL(c.vfs[0].doorbells, 2048);
	CU_ASSERT_STRING_EQUAL(c.vfs[0].label, "train");
	CU_ASSERT_EQUAL(c.vfs[1].fb_mib, 512);
	CU_ASSERT_EQUAL(c.vfs[1].doorbells, 0);
}

static void what_is_not_said_has_its_default(void)
{
	struct gv_cfg c;

	CU_ASSERT_EQUAL_FATAL(parse("{\"num_vfs\":31,\"vfs\":[{\"fb_mib\":\"rest\"}]}", &c, NULL),
	                      0);
	CU_ASSERT_STRING_EQUAL(c.gpu, "");
	for (unsigned i = 0; i < 31; i++) {
		CU_ASSERT_EQUAL(c.vfs[i].fb_mib, 0);
		CU_ASSERT_EQUAL(c.vfs[i].doorbells, 0);
		CU_ASSERT_EQUAL(c.vfs[i].quantum_ms, 6);
		CU_ASSERT_EQUAL(c.vfs[i].weight, 1);
	}
}

static void the_order_of_keys_does_not_matter(void)
{
	struct gv_cfg a, b;

	CU_ASSERT_EQUAL(parse("{\"vfs\":[{},{\"weight\":3}],\"num_vfs\":2}", &a, NULL), 0);
	CU_ASSERT_EQUAL(parse("{\"num_vfs\":2,\"vfs\":[{},{\"weight\":3}]}", &b, NULL), 0);
	CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
}

static void messages_name_path_asked_and_possible(void)
{
	static const struct {
		const char *text, *path, *asked, *possible;
		int rc;
	} cases[] = {
	        {"{\"num_vfs\":2,\"vfs\":[{},{\"fb_mib\":\"x\"}]}",
	         "vfs[1].fb_mib: ", "\"x\" asked (string)", "a multiple of 16 from 64", -EINVAL},
	        {"{\"num_vfs\":2,\"vfs\":[{\"fb_mib\":100}]}", "vfs[0].fb_mib: ", "100 asked",
	         "a multiple of 16", -ERANGE},
	        {"{\"num_vfs\":40}", "num_vfs: ", "40 asked", "from 1 to 31", -ERANGE},
	        {"{\"num_vfs\":1.5}", "num_vfs: ", "1.5 asked", "whole number", -EINVAL},
	        {"{\"num_vfs\":1,\"vfs\":[{},{}]}", "vfs: ", "2 VFs asked", "1 possible", -ERANGE},
	        {"{\"num_vfs\":1,\"vf\":3}", "vf: ", "unknown key", "num_vfs, vfs", -EINVAL},
	        {"{\"num_vfs\":1,\"gpu\":\"pci:0\"}", "gpu: ", "\"pci:0\" asked", "vfio-user:/",
	         -EINVAL},
	};
	struct gv_cfg c;
	struct gv_err err;

	for (size_t i = 0; i < GV_ARRAY_LEN(cases); i++) {
		CU_ASSERT_EQUAL(parse(cases[i].text, &c, &err), cases[i].rc);
		CU_ASSERT_EQUAL(strncmp(err.text, cases[i].path, strlen(cases[i].path)), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].asked));
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].possible));
		if (!strstr(err.text, cases[i].asked) || !strstr(err.text, cases[i].possible))
			fprintf(stderr, "%s\n", err.text);
	}
}

/* Calls @each for every .json of @dir under the source tree; returns how many. */
static unsigned for_each_json(const char *dir, void (*each)(const char *path))
{
	char path[512];
	unsigned count = 0;
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%s", GV_SOURCE_DIR, dir);
	d = opendir(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	while ((e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n < 6 || strcmp(e->d_name + n - 5, ".json"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s/%s", GV_SOURCE_DIR, dir, e->d_name);
		each(path);
		count++;
	}
	closedir(d);
	return count;
}

static void check_shipped(const char *path)
{
	struct gv_err err = {0};
	struct gv_cfg c, again;
	char *json = NULL;

	CU_ASSERT_EQUAL(gv_cfg_load_file(path, &c, &err), 0);
	if (err.code)
		fprintf(stderr, "%s\n", err.text);
	CU_ASSERT_STRING_EQUAL(c.gpu, "vfio-user:/run/gpuvisor/gpu/pf.sock");
	CU_ASSERT_EQUAL_FATAL(gv_cfg_to_json(&c, &json), 0);
	CU_ASSERT_EQUAL(parse(json, &again, NULL), 0);
	CU_ASSERT_EQUAL(memcmp(&c, &again, sizeof(c)), 0);
	free(json);
}

static void shipped_profiles_are_good_and_go_there_and_back(void)
{
	CU_ASSERT_EQUAL(for_each_json("configs/profiles", check_shipped), 5);
}

static void check_bad(const char *path)
{
	char expect_path[512], expect[128] = "";
	struct gv_cfg c, before;
	struct gv_err err = {0};
	FILE *f;
	int rc;

	(void)snprintf(expect_path, sizeof(expect_path), "%.*s.expect", (int)strlen(path) - 5,
	               path);
	f = fopen(expect_path, "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_PTR_NOT_NULL(fgets(expect, sizeof(expect), f));
	fclose(f);
	expect[strcspn(expect, "\n")] = '\0';
	memset(&c, 0x5a, sizeof(c));
	before = c;
	rc = gv_cfg_load_file(path, &c, &err);
	if (strstr(path, "/plan-")) {
		CU_ASSERT_EQUAL(rc, 0); /* only a GPU can refuse it */
		return;
	}
	CU_ASSERT(rc < 0);
	CU_ASSERT_EQUAL(err.code, rc);
	CU_ASSERT_EQUAL(memcmp(&c, &before, sizeof(c)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, expect));
	CU_ASSERT_PTR_NULL(strchr(err.text, '\n'));
	if (!strstr(err.text, expect))
		fprintf(stderr, "%s: \"%s\" is not in \"%s\"\n", path, expect, err.text);
}

static void every_bad_profile_is_refused_by_the_name_of_the_place(void)
{
	CU_ASSERT(for_each_json("tests/data/bad-profiles", check_bad) >= 40);
}

static void files_that_are_no_files_are_refused_at_once(void)
{
	char dir[] = "/tmp/gv-configs-XXXXXX", path[64];
	struct gv_err err;
	struct gv_cfg c;
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	CU_ASSERT_EQUAL(gv_cfg_load_file(dir, &c, &err), -EINVAL);
	CU_ASSERT_EQUAL(gv_cfg_load_file("/dev/zero", &c, &err), -EINVAL);
	(void)snprintf(path, sizeof(path), "%s/x", dir);
	CU_ASSERT_EQUAL(gv_cfg_load_file(path, &c, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(gv_cfg_load_file(path, &c, &err), -EINVAL); /* nobody writes to it */
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT_EQUAL(ftruncate(fd, GV_CFG_MAX_FILE_BYTES + 1), 0);
	CU_ASSERT_EQUAL(gv_cfg_load_file(path, &c, &err), -E2BIG);
	close(fd);
	unlink(path);
	rmdir(dir);
}

static void every_prefix_of_a_profile_is_refused(void)
{
	static const char text[] =
	        "{\"num_vfs\":2,\"name\":\"\\u0061\xc3\xa4\",\"vfs\":[{\"fb_mib\":"
	        "512,\"label\":\"a\"},{\"weight\":10}]}";
	struct gv_cfg c;

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *cut = malloc(n ? n : 1);

		memcpy(cut, text, n);
		CU_ASSERT(gv_cfg_parse(cut, n, &c, NULL) < 0);
		free(cut);
	}
}

static void any_checked_struct_survives_json(void)
{
	uint64_t x = 0x2545f4914f6cdd1dull;

	for (unsigned round = 0; round < 300; round++) {
		struct gv_cfg c = {.num_vfs = 1 + round % 31}, back;
		char *json = NULL;

		c.policy = round % GV_CFG_SCHEDS;
		c.preempt_timeout_ms = round % 3 * 77;
		if (round % 2)
			(void)snprintf(c.gpu, sizeof(c.gpu), "vfio:0000:%02x:1f.7", round % 256);
		for (unsigned i = 0; i < c.num_vfs; i++) {
			x = x * 6364136223846793005ull + 1442695040888963407ull;
			c.vfs[i].fb_mib = x >> 63 ? 0 : 64 + 16 * (uint32_t)(x >> 50 & 1023);
			c.vfs[i].doorbells =
			        x >> 62 & 1 ? 0 : 1024 + 512 * (uint32_t)(x >> 40 & 63);
			c.vfs[i].quantum_ms = 1 + (uint32_t)(x >> 32 & 511);
			c.vfs[i].weight = 1 + (uint32_t)(x >> 20 & 63);
			c.vfs[i].priority = (uint32_t)(x >> 16 & 15);
			c.vfs[i].preempt_timeout_ms = (uint32_t)(x >> 4 & 1023);
			if (x >> 61 & 1)
				(void)snprintf(c.vfs[i].label, sizeof(c.vfs[i].label), "vf_%u.x-",
				               i);
		}
		CU_ASSERT_EQUAL(gv_cfg_check(&c, NULL), 0);
		CU_ASSERT_EQUAL_FATAL(gv_cfg_to_json(&c, &json), 0);
		CU_ASSERT_EQUAL(parse(json, &back, NULL), 0);
		CU_ASSERT_EQUAL(memcmp(&c, &back, sizeof(c)), 0);
		free(json);
	}
}

static void a_guard_says_what_it_says_and_the_rest_is_default(void)
{
	static const char text[] = "{\"num_vfs\": 1, \"guard\": {\"faults\": {\"limit\": 7, "
	                           "\"policy\": \"quarantine\"}, \"messages\": {}}}";
	struct gv_cfg_guard faults, flrs;
	struct gv_cfg c, back;
	char *json;

	CU_ASSERT_EQUAL_FATAL(parse(text, &c, NULL), 0);
	faults = gv_cfg_guard_of(&c.guard[GV_CFG_GUARD_FAULTS], GV_CFG_GUARD_FAULTS);
	CU_ASSERT_EQUAL(faults.limit, 7);
	CU_ASSERT_EQUAL(faults.policy, GV_CFG_GUARD_QUARANTINE);
	CU_ASSERT_EQUAL(faults.window_ms, gv_cfg_guard_default(GV_CFG_GUARD_FAULTS).window_ms);
	CU_ASSERT_EQUAL(c.guard[GV_CFG_GUARD_MESSAGES].limit, 500);
	flrs = gv_cfg_guard_of(&c.guard[GV_CFG_GUARD_FLRS], GV_CFG_GUARD_FLRS);
	CU_ASSERT_EQUAL(c.guard[GV_CFG_GUARD_FLRS].window_ms, 0);
	CU_ASSERT_EQUAL(flrs.window_ms, 60000);
	CU_ASSERT_EQUAL_FATAL(gv_cfg_to_json(&c, &json), 0);
	CU_ASSERT_EQUAL(parse(json, &back, NULL), 0);
	CU_ASSERT_EQUAL(memcmp(&c, &back, sizeof(c)), 0);
	free(json);
}

static void structs_made_by_hand_are_checked_too(void)
{
	struct gv_cfg good = {.num_vfs = 2}, c;
	struct gv_err err;

	for (int i = 0; i < 2; i++)
		good.vfs[i].quantum_ms = good.vfs[i].weight = 1;
	CU_ASSERT_EQUAL(gv_cfg_check(&good, NULL), 0);
	c = good;
	c.num_vfs = 32;
	CU_ASSERT_EQUAL(gv_cfg_check(&c, &err), -ERANGE);
	c = good;
	c.vfs[1].weight = 0;
	CU_ASSERT_EQUAL(gv_cfg_check(&c, &err), -ERANGE);
	CU_ASSERT_EQUAL(strncmp(err.text, "vfs[1].weight: 0 asked", 22), 0);
	c = good;
	c.policy = GV_CFG_SCHEDS;
	CU_ASSERT_EQUAL(gv_cfg_check(&c, &err), -EINVAL);
	c = good;
	c.preempt_timeout_ms = GV_CFG_PREEMPT_MS_MAX + 1;
	CU_ASSERT_EQUAL(gv_cfg_check(&c, &err), -ERANGE);
	CU_ASSERT_EQUAL(strncmp(err.text, "scheduler.preempt_timeout_ms: ", 30), 0);
	c = good;
	c.guard[GV_CFG_GUARD_FLRS] = (struct gv_cfg_guard){513, 1000, GV_CFG_GUARD_FLR};
	CU_ASSERT_EQUAL(gv_cfg_check(&c, &err), -ERANGE);
	CU_ASSERT_EQUAL(strncmp(err.text, "guard.flrs.limit: 513 asked", 27), 0);
	c = good;
	memset(c.vfs[0].label, 'x', sizeof(c.vfs[0].label));
	CU_ASSERT_EQUAL(gv_cfg_check(&c, &err), -EINVAL);
	c = good;
	memset(c.gpu, 'x', sizeof(c.gpu));
	CU_ASSERT_EQUAL(gv_cfg_check(&c, &err), -EINVAL);
}

UT_MAIN("configs", UT(the_issues_example_is_understood), UT(what_is_not_said_has_its_default),
        UT(the_order_of_keys_does_not_matter), UT(messages_name_path_asked_and_possible),
        UT(shipped_profiles_are_good_and_go_there_and_back),
        UT(a_guard_says_what_it_says_and_the_rest_is_default),
        UT(every_bad_profile_is_refused_by_the_name_of_the_place),
        UT(files_that_are_no_files_are_refused_at_once), UT(every_prefix_of_a_profile_is_refused),
        UT(any_checked_struct_survives_json), UT(structs_made_by_hand_are_checked_too))
