/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <gv/pf_metrics.h>

#include "ut.h"

static struct gv_pf_status status;
static struct gv_pf_owned_vf owned[GV_PF_MAX_VFS];

static void two_vfs(void)
{
	memset(&status, 0, sizeof(status));
	snprintf(status.bus, sizeof(status.bus), "vfio:0000:03:00.0");
	status.booted = true;
	status.num_vfs = 2;
	status.caps.vram_mib = 4096;
	status.vf[0].plan.fb_mib = 1024;
	status.vf[0].state = GV_MBOX_ACTIVE;
	status.vf[0].faults = 7;
	status.vf[1].state = GV_MBOX_IDLE;
	snprintf(status.vf[0].plan.label, sizeof(status.vf[0].plan.label), "a\"b\\c\nd");
	owned[0] = (struct gv_pf_owned_vf){
	        .bdf = "0000:03:02.1", .pool = GV_POOL_IN_USE, .domain = "web1", .uuid = "u-1"};
	owned[1] = (struct gv_pf_owned_vf){.pool = GV_POOL_FREE, .domain = "", .uuid = ""};
}

/* The text of the metrics; the caller frees it. */
static char *text(void)
{
	char *t = NULL;
	size_t bytes = 0;

	CU_ASSERT_EQUAL_FATAL(gv_pf_metrics_text(&status, owned, &t, &bytes), 0);
	CU_ASSERT_EQUAL(bytes, strlen(t));
	return t;
}

static void has(const char *t, const char *line)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(t, line));
	if (!strstr(t, line))
		printf("no line: %s\n", line);
}

#define VF0                                                                                        \
	"pf=\"vfio:0000:03:00.0\",vf=\"0\",bdf=\"0000:03:02.1\",label=\"a\\\"b\\\\c\\nd\","        \
	"domain=\"web1\",domain_uuid=\"u-1\""

static void each_vf_has_its_number_with_all_labels(void)
{
	char *t;

	two_vfs();
	t = text();
	has(t, "gpuvisor_up{pf=\"vfio:0000:03:00.0\"} 1\n");
	has(t, "gpuvisor_vfs{pf=\"vfio:0000:03:00.0\"} 2\n");
	has(t, "\ngpuvisor_vf_faults_total{" VF0 "} 7\n");
	has(t, "\ngpuvisor_vf_frame_buffer_bytes{" VF0 "} 1073741824\n");
	has(t, "vf=\"1\",bdf=\"\",label=\"\",domain=\"\",domain_uuid=\"\"} 0\n");
	free(t);
}

static void a_vf_is_in_one_state_of_each_kind(void)
{
	char *t;
	unsigned ones = 0;

	two_vfs();
	t = text();
	has(t, "\ngpuvisor_vf_session{" VF0 ",state=\"ACTIVE\"} 1\n");
	has(t, "\ngpuvisor_vf_session{" VF0 ",state=\"IDLE\"} 0\n");
	has(t, "\ngpuvisor_vf_pool{" VF0 ",state=\"in use\"} 1\n");
	for (const char *p = t; (p = strstr(p, "state=\"")) != NULL; p++)
		ones += strncmp(strchr(p, '}'), "} 1\n", 4) == 0;
	CU_ASSERT_EQUAL(ones, 4);
	free(t);
}

static void buckets_count_up_to_all(void)
{
	char *t;

	two_vfs();
	gv_pf_hist_add(&status.vf[0].answer, 20 * GV_US);
	gv_pf_hist_add(&status.vf[0].answer, 2 * GV_MS);
	gv_pf_hist_add(&status.vf[0].answer, 1000 * GV_S);
	t = text();
	has(t, "\ngpuvisor_vf_mailbox_seconds_bucket{" VF0 ",le=\"1e-05\"} 0\n");
	has(t, "\ngpuvisor_vf_mailbox_seconds_bucket{" VF0 ",le=\"3e-05\"} 1\n");
	has(t, "\ngpuvisor_vf_mailbox_seconds_bucket{" VF0 ",le=\"0.003\"} 2\n");
	has(t, "\ngpuvisor_vf_mailbox_seconds_bucket{" VF0 ",le=\"3\"} 2\n");
	has(t, "\ngpuvisor_vf_mailbox_seconds_bucket{" VF0 ",le=\"+Inf\"} 3\n");
	has(t, "\ngpuvisor_vf_mailbox_seconds_sum{" VF0 "} 1000.002020000\n");
	has(t, "\ngpuvisor_vf_mailbox_seconds_count{" VF0 "} 3\n");
	free(t);
}

static void slices_and_switches_are_in_seconds(void)
{
	char *t;

	two_vfs();
	status.vf[0].world = (struct gv_pf_vf_world){.active = true,
	                                             .slices = 12,
	                                             .ran_ns = 1500 * GV_MS,
	                                             .busy_permille = 375,
	                                             .switches = 3,
	                                             .switch_sum_ns = 600 * GV_US,
	                                             .switch_p50_ns = 150 * GV_US,
	                                             .switch_p99_ns = 300 * GV_US};
	t = text();
	has(t, "\ngpuvisor_vf_active{" VF0 "} 1\n");
	has(t, "\ngpuvisor_vf_slices_total{" VF0 "} 12\n");
	has(t, "\ngpuvisor_vf_busy_share{" VF0 "} 0.375000000\n");
	has(t, "\ngpuvisor_vf_engine_seconds_total{" VF0 "} 1.500000000\n");
	has(t, "\ngpuvisor_vf_switch_seconds{" VF0 ",quantile=\"0.5\"} 0.000150000\n");
	has(t, "\ngpuvisor_vf_switch_seconds{" VF0 ",quantile=\"0.99\"} 0.000300000\n");
	has(t, "\ngpuvisor_vf_switch_seconds_sum{" VF0 "} 0.000600000\n");
	has(t, "\ngpuvisor_vf_switch_seconds_count{" VF0 "} 3\n");
	free(t);
}

static void each_metric_has_one_head(void)
{
	char *t, name[80];

	two_vfs();
	t = text();
	for (const char *p = t; (p = strstr(p, "# TYPE ")) != NULL; p++) {
		char again[96];

		CU_ASSERT_EQUAL_FATAL(sscanf(p, "# TYPE %79s", name), 1);
		snprintf(again, sizeof(again), "# TYPE %s ", name);
		CU_ASSERT_PTR_NULL(strstr(p + 1, again));
		snprintf(again, sizeof(again), "# HELP %s ", name);
		has(t, again);
	}
	free(t);
}

UT_MAIN("pf-driver/metrics", UT(each_vf_has_its_number_with_all_labels),
        UT(a_vf_is_in_one_state_of_each_kind), UT(buckets_count_up_to_all),
        UT(slices_and_switches_are_in_seconds), UT(each_metric_has_one_head))
