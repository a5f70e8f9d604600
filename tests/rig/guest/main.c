/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gv-rig-guest --device URI VERB: a guest that attacks, occupies or loads its VF. */
#include <stdio.h>
#include <string.h>

#include <gv/vfio.h>

#include "rig.h"

enum { USAGE = 2 };

static const struct verb {
	const char *name;
	int (*run)(struct rig *r, const char *arg);
	const char *arg, *help;
} verbs[] = {
        {"dma-outside", rig_dma_outside, NULL, "DMA to memory that was not given faults"},
        {"fb-outside", rig_fb_outside, NULL, "the frame buffer ends at the VF's share"},
        {"fb-provisioned", rig_fb_provisioned, NULL, "all of the share is there: fb_mib=N"},
        {"fill", rig_fill, "PATTERN", "write a 64-bit secret (hex) over the frame buffer"},
        {"find", rig_find, "PATTERN", "0 when the secret is nowhere in the frame buffer"},
        {"spin", rig_spin, "SECONDS", "a shader without end"},
        {"work", rig_work, "SECONDS", "verified work: units=N seconds=S errors=E"},
        {"irq", rig_irq, NULL, "fences raise MSI-X interrupts"},
};

static int usage(const char *text)
{
	(void)fprintf(stderr,
	              "gv-rig-guest: %s\n"
	              "usage: gv-rig-guest --device URI [options] VERB\n"
	              "  --vf-token-file F  UUID that opens a VF whose PF is on vfio-pci\n"
	              "  --timeout SECONDS  longest wait for one access (5)\n"
	              "  --total SECONDS    attacks begin nothing new after this (140)\n"
	              "  --log LEVEL        error (default), warn, info, debug\n",
	              text);
	for (size_t i = 0; i < GV_ARRAY_LEN(verbs); i++)
		(void)fprintf(stderr, "  %-14s %-8s %s\n", verbs[i].name,
		              verbs[i].arg ? verbs[i].arg : "", verbs[i].help);
	return USAGE;
}

static int run(struct rig *r, const struct verb *v, const char *arg)
{
	int rc;

	if (rig_open(r)) {
		(void)rig_trouble(r, "the VF does not come up");
		return 1;
	}
	rc = v->run(r, arg);
	rig_close(r);
	return rc;
}

static int find_verb(struct rig *r, int argc, char **argv)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[0], verbs[i].name) != 0)
			continue;
		if (argc != (verbs[i].arg ? 2 : 1))
			return usage("wrong number of arguments");
		if (!r->uri)
			return usage("--device URI is missing");
		return run(r, &verbs[i], argc > 1 ? argv[1] : NULL);
	}
	return usage("no such verb");
}

/* 1: taken; else the status to end with. */
static int option(struct rig *r, struct gv_log *log, const char *name, const char *val)
{
	uint64_t seconds = 0;

	if (!strcmp(name, "--device")) {
		r->uri = val;
	} else if (!strcmp(name, "--vf-token-file")) {
		if (gv_vfio_read_token(val, r->token, &r->err))
			return usage(r->err.text);
		r->has_token = true;
	} else if (!strcmp(name, "--timeout") || !strcmp(name, "--total")) {
		if (rig_parse_seconds(val, &seconds))
			return usage("--timeout and --total take seconds");
		if (!strcmp(name, "--total"))
			r->end_ns = gv_now_ns() + seconds * GV_S;
		else
			r->wait_ns = seconds * GV_S;
	} else if (!strcmp(name, "--log")) {
		if (gv_log_parse_level(val, &log->max))
			return usage("--log takes error, warn, info or debug");
	} else {
		return usage("unknown option");
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct gv_log log = {.sink = gv_log_stderr, .max = GV_LOG_ERR, .who = "rig"};
	struct rig r = {.log = &log, .wait_ns = 5 * GV_S, .end_ns = gv_now_ns() + 140 * GV_S};
	int i = 1, rc;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		rc = option(&r, &log, argv[i], argv[i + 1]);
		if (rc != 1)
			return rc;
	}
	return i < argc ? find_verb(&r, argc - i, argv + i) : usage("a verb is missing");
}
