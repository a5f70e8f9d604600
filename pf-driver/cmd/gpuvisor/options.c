/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor: options. */
#include <getopt.h>

#include <gv/binding.h>
#include <gv/pf_driver.h>

#include "gpuvisor.h"

const char options_text[] =
        "\n  --socket PATH       of gpuvisord ($GPUVISOR_SOCKET, " DEFAULT_SOCKET ")\n"
        "  --json              for programs: keys are only ever added\n"
        "  --vram-mib N, --max-vfs N   plan for such a GPU, without gpuvisord\n"
        "  --dry-run           apply: show the plan, touch nothing\n"
        "  --force             apply, disable: also when guests use their VFs;\n"
        "                      vm detach: take it away when the guest does not let go;\n"
        "                      vf release: although a guest was seen to use it;\n"
        "                      gpu reset: although guests use their VFs;\n"
        "                      bind, unbind: although somebody has claimed the VF\n"
        "  --no-scrub          apply, vf reset: leave what is in VRAM\n"
        "  --follow, --since N events: go on; only those after number N\n"
        "  --out FILE          trace start, trace stop: write the timeline there (-: stdout)\n"
        "  --seconds N         trace start --out: so long, else until Ctrl-C\n"
        "  --domain            vf xml: a whole libvirt domain around the VF\n"
        "  --bdf BDF           vf xml: the VF at this PCI address, without gpuvisord\n"
        "  --owner NAME        vf claim, vf release: for whom\n"
        "  --live, --config    vm attach, vm detach: the running domain, its definition;\n"
        "                      neither: what applies now\n"
        "  --unmanaged         vm attach: libvirt leaves the VF's driver alone\n"
        "  --timeout S         vm attach, vm detach: wait so long for the guest (10)\n"
        "  --connect URI       of libvirt (qemu:///system)\n"
        "  --driver NAME       bind: to this driver (vfio-pci)\n"
        "  --pf BDF            check: this PF (gpuvisord's, else the only one)\n"
        "  --sysfs ROOT        another tree than /sys\n"
        "  --claim-dir DIR     claims of VFs that are not gpuvisord's\n"
        "                      (" GV_GLUE_CLAIM_DIR ")\n"
        "\n"
        "VF is a number, or a PCI address such as 0000:03:02.1.\n"
        "Exit status: 0 done, 1 failed, 2 wrong use.\n";

enum {
	OPT_SOCKET = 256,
	OPT_JSON,
	OPT_DRY_RUN,
	OPT_FORCE,
	OPT_NO_SCRUB,
	OPT_FOLLOW,
	OPT_VRAM,
	OPT_VFS,
	OPT_SINCE,
	OPT_OUT,
	OPT_SECONDS,
	OPT_BDF,
	OPT_SYSFS,
	OPT_DOMAIN,
	OPT_LIVE,
	OPT_CONFIG,
	OPT_UNMANAGED,
	OPT_TIMEOUT,
	OPT_CONNECT,
	OPT_DRIVER,
	OPT_PF,
	OPT_OWNER,
	OPT_CLAIM_DIR,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
        {"socket", required_argument, NULL, OPT_SOCKET},
        {"json", no_argument, NULL, OPT_JSON},
        {"dry-run", no_argument, NULL, OPT_DRY_RUN},
        {"force", no_argument, NULL, OPT_FORCE},
        {"no-scrub", no_argument, NULL, OPT_NO_SCRUB},
        {"follow", no_argument, NULL, OPT_FOLLOW},
        {"vram-mib", required_argument, NULL, OPT_VRAM},
        {"max-vfs", required_argument, NULL, OPT_VFS},
        {"since", required_argument, NULL, OPT_SINCE},
        {"out", required_argument, NULL, OPT_OUT},
        {"seconds", required_argument, NULL, OPT_SECONDS},
        {"bdf", required_argument, NULL, OPT_BDF},
        {"sysfs", required_argument, NULL, OPT_SYSFS},
        {"domain", no_argument, NULL, OPT_DOMAIN},
        {"live", no_argument, NULL, OPT_LIVE},
        {"config", no_argument, NULL, OPT_CONFIG},
        {"unmanaged", no_argument, NULL, OPT_UNMANAGED},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"connect", required_argument, NULL, OPT_CONNECT},
        {"driver", required_argument, NULL, OPT_DRIVER},
        {"pf", required_argument, NULL, OPT_PF},
        {"owner", required_argument, NULL, OPT_OWNER},
        {"claim-dir", required_argument, NULL, OPT_CLAIM_DIR},
        {"help", no_argument, NULL, OPT_HELP},
        {"version", no_argument, NULL, OPT_VERSION},
        {NULL, 0, NULL, 0},
};

bool parse_u32(const char *text, uint32_t *val)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v > UINT32_MAX)
		return false;
	*val = (uint32_t)v;
	return true;
}

static bool take_switch(struct cli *cli, int opt)
{
	const struct {
		int opt;
		bool *flag;
	} all[] = {
	        {OPT_JSON, &cli->json},           {OPT_DRY_RUN, &cli->dry_run},
	        {OPT_FORCE, &cli->force},         {OPT_NO_SCRUB, &cli->no_scrub},
	        {OPT_FOLLOW, &cli->follow},       {OPT_DOMAIN, &cli->domain},
	        {OPT_LIVE, &cli->live},           {OPT_CONFIG, &cli->config},
	        {OPT_UNMANAGED, &cli->unmanaged}, {OPT_HELP, &cli->help},
	        {OPT_VERSION, &cli->version},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(all); i++)
		if (all[i].opt == opt)
			return *all[i].flag = true;
	return false;
}

static bool take_text(struct cli *cli, int opt)
{
	const struct {
		int opt;
		const char **text;
	} all[] = {
	        {OPT_SOCKET, &cli->socket}, {OPT_BDF, &cli->bdf},
	        {OPT_SYSFS, &cli->sysfs},   {OPT_CONNECT, &cli->connect},
	        {OPT_DRIVER, &cli->driver}, {OPT_PF, &cli->pf},
	        {OPT_OWNER, &cli->owner},   {OPT_CLAIM_DIR, &cli->claim_dir},
	        {OPT_OUT, &cli->out},
	};

	cli->socket_given = cli->socket_given || opt == OPT_SOCKET;
	for (size_t i = 0; i < GV_ARRAY_LEN(all); i++) {
		if (all[i].opt != opt)
			continue;
		*all[i].text = optarg;
		return true;
	}
	return false;
}

/* Those that can be wrong. */
static bool take_number(struct cli *cli, int opt)
{
	switch (opt) {
	case OPT_VRAM:
		return parse_u32(optarg, &cli->vram_mib) && cli->vram_mib;
	case OPT_VFS:
		return parse_u32(optarg, &cli->max_vfs) && cli->max_vfs &&
		       cli->max_vfs <= GV_PF_MAX_VFS;
	case OPT_SINCE:
		return parse_u32(optarg, &cli->since);
	case OPT_SECONDS:
		return parse_u32(optarg, &cli->seconds) && cli->seconds;
	case OPT_TIMEOUT:
		return parse_u32(optarg, &cli->timeout_s) && cli->timeout_s &&
		       cli->timeout_s <= 3600;
	default:
		return false;
	}
}

int take_options(struct cli *cli, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == '?')
			return EXIT_USAGE;
		if (take_switch(cli, opt) || take_text(cli, opt) || take_number(cli, opt))
			continue;
		fprintf(stderr, "gpuvisor: '%s' cannot be used here\n", optarg);
		return EXIT_USAGE;
	}
	return -1;
}
